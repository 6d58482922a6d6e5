"""Features seen from where they lie, for losses that do not depend on it."""

import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32
from pystyle.losses import Loss

_LARGEST_RATIO = 1e3
"""Of the square of a mean to the variance: up to it a variance of raw moments in float32 has four digits."""


class Origins:
    """What is subtracted from the features of a layer, of the references and of the image.

    The variance of a channel is the small difference of two large moments where its mean is large. For losses
    that are ``shift_invariant`` the mean of the first reference that is seen, or of its
    first rows, is subtracted before the moments are taken: any constant nearby will do. Where no mean is
    large nothing is subtracted, which would take the memory of a feature map.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[tuple[str, ...], str], Tensor | None] = {}

    def at(self, loss: Loss, layer: str, features: Tensor) -> Tensor | None:
        """The origin of a loss at a layer, (1, channels, 1, 1); None if it is zero."""
        if not loss.shift_invariant:
            return None
        key = (loss.references, layer)
        if key not in self._found:
            self._found[key] = _origin(features)
        return self._found[key]

    def of(self, loss: Loss, layer: str) -> Tensor | None:
        """The origin that was found before."""
        return self._found.get((loss.references, layer)) if loss.shift_invariant else None


@torch.no_grad()
def _origin(features: Tensor) -> Tensor | None:
    values = at_least_float32(features)
    mean = values.mean((0, 2, 3), keepdim=True)
    variance = (values - mean).square().mean((0, 2, 3), keepdim=True)
    return mean if bool((mean.square() > _LARGEST_RATIO * variance).any()) else None
