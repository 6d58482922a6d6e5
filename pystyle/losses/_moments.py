"""What the losses that compare moments share."""

from torch import Tensor

from pystyle.functional import RawMoments, raw_moments
from pystyle.losses._layer_mask import LayerMask


def moments_within(features: Tensor, mask: LayerMask) -> RawMoments:
    """The raw moments of a region; of some rows of it what they add to those of the whole."""
    mean, second = raw_moments(features, mask.mask)
    share = mask.weights.mean()
    return RawMoments(mean * share, second * share)
