from dataclasses import dataclass
from itertools import groupby

from torch import Tensor

from pystyle.typing import History, Precision


@dataclass(frozen=True, eq=False)
class Result:
    """What a run gives back.

    Attributes:
        image: The picture, (batch, 3, height, width), RGB in [0, 1]. With averaging it is the
            average of the iterates.
        history: One list per column: ``step``, ``seconds``, ``total``, and every term by its name.
            Row k holds the losses after k steps, row 0 those of the initial image and the last row
            those of the picture. In a pyramid each level has such rows, and ``edge_size`` tells the levels
            apart. It can go to ``pandas.DataFrame`` as it is. What took no steps has none: ``{}``.
        stop_reason: ``"finished"``, or a sentence that says why the run ended early.
        seconds: How long the steps took, without what the references took before.
        failed: Whether the run diverged or was interrupted. A callback that stops is no failure.
        alpha: How opaque the picture is, (1, 1, height, width); None if it is so everywhere. `stylize` knows
            it of the content.
        precision: Of the encoder; `stylize` chooses it.

    Example:
        >>> import torch
        >>> result = Result(torch.zeros(1, 3, 2, 2), {"step": [0], "total": [1.0]}, "finished", 0.5)
        >>> result
        Result(2 x 2 pixels, 0 steps in 0.5 s, loss 1, finished)
    """

    image: Tensor
    history: History
    stop_reason: str
    seconds: float
    failed: bool = False
    alpha: Tensor | None = None
    precision: Precision = "float32"

    @property
    def steps(self) -> int:
        """How many steps led to the picture: one less than there are rows of each level."""
        rows = self.history.get("step", [])
        edge_sizes = self.history.get("edge_size", [None] * len(rows))
        return len(rows) - len(list(groupby(edge_sizes)))

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the run."""
        return self.failed and self.stop_reason == "interrupted"

    def __repr__(self) -> str:
        """The facts in one line."""
        height, width = self.image.shape[-2:]
        totals = self.history.get("total")
        loss = f"{totals[-1]:.4g}" if totals else "unknown"
        steps = f"{self.steps} step{'' if self.steps == 1 else 's'}"
        run = f"{steps} in {self.seconds:.1f} s, loss {loss}, {self.stop_reason}"
        return f"Result({height} x {width} pixels, {run})"
