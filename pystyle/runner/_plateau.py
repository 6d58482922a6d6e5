from collections.abc import Mapping
from typing import Any

from pystyle._arguments import number, whole_number
from pystyle.runner._step import Step


class StopOnPlateau:
    """Ends the run when the loss has stopped to fall.

    Args:
        patience: Steps over which the fall is measured.
        tolerance: The run goes on while the loss falls by more than this fraction in these steps.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from pystyle.runner import StopOnPlateau
        >>> stop = StopOnPlateau(patience=50, tolerance=1e-3)
    """

    def __init__(self, *, patience: int = 50, tolerance: float = 1e-3) -> None:
        self.patience = whole_number(patience, "`patience`", least=1)
        self.tolerance = number(tolerance, "`tolerance`", least=0)
        self._losses: list[float] = []
        self._level = 0

    def __call__(self, step: Step) -> None:
        """Compare with the best loss before the last `patience` steps."""
        if step.level != self._level:
            # Losses at another size are others.
            self._losses, self._level = [], step.level
        self._losses.append(float(step.terms.total))
        if len(self._losses) <= self.patience:
            return
        before, recent = min(self._losses[: -self.patience]), min(self._losses[-self.patience :])
        if before - recent <= self.tolerance * abs(before):
            step.stop(
                f"plateau: the loss fell by less than {self.tolerance:g} of itself in {self.patience} steps"
            )

    def close(self) -> None:
        """Forget the losses, so that the next run starts anew."""
        self._losses = []

    def state_dict(self) -> dict[str, Any]:
        """The losses so far, for a checkpoint."""
        return {"losses": list(self._losses), "level": self._level}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the losses of a checkpoint."""
        self._losses, self._level = list(state["losses"]), state["level"]
