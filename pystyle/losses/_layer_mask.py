from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LayerMask:
    """Where a region is in the features of a layer, or in some rows of them.

    A loss gets it in :meth:`~pystyle.Loss.represent_within`.

    Args:
        mask: From 0 outside to 1 inside.

    Attributes:
        mask: From 0 outside to 1 inside.
        area: The mean of the mask over the whole layer.
        hard_area: The share of the positions of the whole layer at which the mask is above 1/2.

    Shape:
        - mask: (1, 1, height, width)

    Example:
        >>> import torch
        >>> mask = LayerMask.of(torch.tensor([[[[1.0, 1.0, 0.0, 0.0]]]]))
        >>> mask.weights
        tensor([[[[2., 2., 0., 0.]]]])
        >>> mask.select(torch.tensor([[[[5.0, 6.0, 7.0, 8.0]]]]))
        tensor([[[[5., 6.]]]])
    """

    mask: Tensor
    area: float
    hard_area: float
    _inside: Tensor

    @classmethod
    def of(cls, mask: Tensor) -> Self:
        """The mask of a whole layer."""
        inside = _inside(mask)
        return cls(mask, float(mask.mean()), len(inside) / max(mask.numel(), 1), inside)

    @property
    def weights(self) -> Tensor:
        """How much each position counts, (1, 1, height, width); the mean over the whole layer is 1.

        So the mean over positions of anything times the weights is its mean over the region.
        """
        return self.mask / self.area

    @property
    def share(self) -> float:
        """The share of these rows in the region, relative to their share in the layer.

        It is 1 for the whole layer.
        """
        return len(self._inside) / max(self.mask.numel(), 1) / self.hard_area

    def select(self, features: Tensor) -> Tensor:
        """The features at the positions where the mask is above 1/2; the first one if there are none.

        Raises:
            ValueError: If there is no such position in the whole layer.

        Shape:
            - features: (batch, channels, height, width)
            - output: (batch, channels, 1, positions)
        """
        if self.hard_area == 0:
            raise ValueError(
                "The region is nowhere above 1/2 in this layer. Enlarge it or use earlier layers."
            )
        inside = self._inside if len(self._inside) else self._inside.new_zeros(1)
        return features.flatten(2)[:, :, inside].unsqueeze(2)

    def rows(self, start: int, stop: int) -> Self:
        """The mask of some rows of the layer."""
        rows = self.mask[:, :, start:stop]
        return replace(self, mask=rows, _inside=_inside(rows))


def _inside(mask: Tensor) -> Tensor:
    # Found once: to look for them at every step would make the host wait for the device.
    return torch.nonzero(mask.flatten() > 0.5).squeeze(1)
