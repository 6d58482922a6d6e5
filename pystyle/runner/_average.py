from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import number


class Average:
    """The exponential average of the iterates, without the bias towards its start.

    Args:
        decay: How much of the average is kept at each update.
    """

    def __init__(self, decay: float) -> None:
        self.decay = number(decay, "`averaging`", least=0, below=1)
        self._sum: Tensor | None = None
        self._weight: Tensor | None = None

    @torch.no_grad()
    def update(self, image: Tensor) -> None:
        """Take an iterate into account."""
        if self._sum is None or self._weight is None:
            self._sum = torch.zeros_like(image.detach())
            # Counted on the device, like all that a step changes: a graph may hold the step.
            self._weight = torch.zeros((), dtype=torch.float64, device=image.device)
        self._sum.mul_(self.decay).add_(image.detach(), alpha=1 - self.decay)
        self._weight.mul_(self.decay).add_(1 - self.decay)

    @property
    def image(self) -> Tensor | None:
        """The average; None before the first update."""
        return None if self._sum is None or self._weight is None else self._sum / self._weight

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from."""
        return {"sum": self._sum, "weight": self._weight}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on from a state, on this device."""
        if state["sum"] is not None:
            self._sum, self._weight = (state[name].to(device, copy=True) for name in ("sum", "weight"))
