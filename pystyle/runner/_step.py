from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Protocol

from torch import Tensor

from pystyle.criterion import Terms


class Step:
    """What a callback sees after each step.

    Args:
        index: Steps done so far, starting with 1.
        num_steps: Steps of the whole run.
        terms: The losses that this step started from.
        seconds: Since the start of the run.
        image: Makes the picture so far.
        level: Which level of a pyramid, starting with 0.
        fraction: How much of the work is done, from 0 to 1; `index / num_steps` if not given. In a
            pyramid the steps of coarse levels are less work.

    Attributes:
        signals: Numbers that tell how it goes and are no losses, such as how often a discriminator is right.
        stop_reason: Why a callback wants to stop; None to go on.
        stops_all_levels: Whether it wants to stop all levels of a pyramid.

    Example:
        >>> import torch
        >>> terms = Terms({"content.relu4_2": torch.tensor(2.0)})
        >>> step = Step(1, 10, terms, 0.1, lambda: torch.zeros(1, 3, 2, 2))
        >>> step.stop("good enough")
        >>> step.stop_reason
        'good enough'
    """

    def __init__(
        self,
        index: int,
        num_steps: int,
        terms: Terms,
        seconds: float,
        image: Callable[[], Tensor],
        *,
        level: int = 0,
        fraction: float | None = None,
    ) -> None:
        self.index = index
        self.num_steps = num_steps
        self.terms = terms
        self.seconds = seconds
        self.level = level
        self.fraction = index / num_steps if fraction is None else fraction
        self.signals: Mapping[str, Tensor] = {}
        self.stop_reason: str | None = None
        self.stops_all_levels = False
        self._image = image

    @property
    def image(self) -> Tensor:
        """The picture so far, in [0, 1]; a copy that is made when asked for."""
        return self._image()

    @property
    def seconds_left(self) -> float:
        """An estimate of the time that the rest of the run takes."""
        return self.seconds / self.fraction * (1 - self.fraction)

    def stop(self, reason: str, *, all_levels: bool = False) -> None:
        """End the run after this step.

        Args:
            reason: Why; it is the `stop_reason` of the result. If it is empty, that is
                ``"stopped by a callback"``.
            all_levels: In a pyramid, end all levels and not only this one. The picture has the size of
                this level then.
        """
        self.stop_reason = reason or "stopped by a callback"
        self.stops_all_levels |= all_levels


class Callback(Protocol):
    """Any function of a :class:`Step`.

    If it has a method ``close()``, this is called when the run ends, however it ends.

    Example:
        >>> callback: Callback = lambda step: print(step.index, float(step.terms.total))
    """

    def __call__(self, step: Step, /) -> None:
        """Look at the step, and call ``step.stop(reason)`` to end the run."""


def close_all(callbacks: Iterable[Callback]) -> None:
    """Tell the callbacks that the run is over; one that fails keeps it from none of the others."""
    with ExitStack() as closing:
        for callback in reversed([*callbacks]):
            closing.callback(getattr(callback, "close", lambda: None))


def show(callback: Callback, view: Step, step: Step) -> None:
    """Call a callback with a view of a step; if it stops that, it stops the step."""
    callback(view)
    if view.stop_reason:
        step.stop(view.stop_reason, all_levels=view.stops_all_levels)
