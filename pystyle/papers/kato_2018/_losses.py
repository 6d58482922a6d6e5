from torch import Tensor

from pystyle.losses import GramLoss, LayerMask, Loss
from pystyle.typing import IMAGE


class SummedGramLoss(GramLoss):
    """The sum of the squared differences of the Gram matrices, where :class:`~pystyle.GramLoss` has the mean.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the sum of the squares of the target.
        reference: The name of the image to compare with.
        normalization: What the matrix is divided by.

    Example:
        >>> SummedGramLoss("relu3_1", normalization="chw")
        SummedGramLoss('relu3_1', normalization='chw')
    """

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The sum over the entries, averaged over the batch."""
        return super().compare(representation, target) * representation[0].numel()


class SquaredDifferencesLoss(Loss):
    """The sum of the squared differences of each pixel to those on its right and below.

    Within a region, those of the pixels that lie wholly in it.

    Args:
        weight: Factor of the loss.

    Example:
        >>> SquaredDifferencesLoss(weight=0.03)
        SquaredDifferencesLoss('image', weight=0.03)
    """

    reference = None
    spatial = "set"

    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__(IMAGE, weight=weight)

    def represent(self, features: Tensor) -> Tensor:
        """The sum over colours and positions, averaged over the batch."""
        return _squares(features).sum((1, 2, 3)).mean()

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The sum over the pixels of the region."""
        inside = mask.mask[..., :-1, :-1] > 0.999
        return (_squares(features) * inside).sum((1, 2, 3)).mean()


def _squares(features: Tensor) -> Tensor:
    wide = features if features.element_size() >= 4 else features.float()
    corner = wide[..., :-1, :-1]
    return (wide[..., :-1, 1:] - corner).square() + (wide[..., 1:, :-1] - corner).square()
