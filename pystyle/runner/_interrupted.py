from typing import get_args

from pystyle.runner._result import Result
from pystyle.typing import OnInterrupt


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C during a run with ``on_interrupt="raise"``, with the picture so far.

    It is a ``KeyboardInterrupt``, so that it ends loops over images, and a program, as Ctrl-C does.

    Args:
        result: What the run would have given back.

    Attributes:
        result: The picture so far, its history, and why the run ended.

    Example:
        >>> import torch
        >>> result = Result(torch.zeros(1, 3, 2, 2), {"step": [0, 1]}, "interrupted", 0.5, failed=True)
        >>> try:
        ...     raise RunInterrupted(result)
        ... except KeyboardInterrupt as interrupt:
        ...     print(interrupt, interrupt.result.image.shape)
        The run was interrupted after 1 step; the picture so far is in `result`. torch.Size([1, 3, 2, 2])
    """

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        """What happened, and where the picture is."""
        steps = f"{self.result.steps} step{'' if self.result.steps == 1 else 's'}"
        return f"The run was interrupted after {steps}; the picture so far is in `result`."


def check_on_interrupt(on_interrupt: OnInterrupt) -> None:
    """Check that this can be done at Ctrl-C.

    Raises:
        ValueError: If it cannot.
    """
    if on_interrupt not in get_args(OnInterrupt):
        raise ValueError(
            "`on_interrupt` must be 'return', for the picture so far, or 'raise', for an error that ends "
            f"loops over images, too, got {on_interrupt!r}."
        )


def ended(result: Result, on_interrupt: OnInterrupt) -> Result:
    """The result of a run.

    Raises:
        RunInterrupted: If the run was interrupted, and that is to be raised.
    """
    if result.interrupted and on_interrupt == "raise":
        raise RunInterrupted(result)
    return result
