from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Average:
    """The exponential average of the iterates, without the bias towards its start.

    Args:
        decay: How much of the average is kept at each update.
    """

    def __init__(self, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"`averaging` must be in [0, 1), got {decay}.")
        self.decay = decay
        self._sum: Tensor | None = None
        self._weight = 0.0

    @torch.no_grad()
    def update(self, image: Tensor) -> None:
        """Take an iterate into account."""
        self._weight = self.decay * self._weight + (1 - self.decay)
        if self._sum is None:
            self._sum = (1 - self.decay) * image.detach()
        else:
            self._sum.mul_(self.decay).add_(image.detach(), alpha=1 - self.decay)

    @property
    def image(self) -> Tensor | None:
        """The average; None before the first update."""
        return None if self._sum is None else self._sum / self._weight

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from."""
        return {"sum": self._sum, "weight": self._weight}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on from a state, on this device."""
        self._weight = state["weight"]
        self._sum = None if state["sum"] is None else state["sum"].to(device, copy=True)
