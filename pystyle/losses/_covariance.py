from torch import Tensor

from pystyle.functional import RawMoments, covariance, mean_squared_error, raw_moments
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.losses._moments import moments_within


class CovarianceLoss(Loss):
    """The mean squared difference of the covariance matrices of the channels.

    A Gram matrix is a covariance plus the products of the means. Without these it counts how
    channels vary together, and not how strong they are on average.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.

    Example:
        >>> CovarianceLoss(["relu1_1", "relu2_1"])
        CovarianceLoss(['relu1_1', 'relu2_1'])

    References:
        Li, Fang, Yang, Wang, Lu, Yang. *Universal style transfer via feature transforms*. NIPS
        2017, where it measures the results.
    """

    reference = "style"
    spatial = "pooled"
    shift_invariant = True

    def represent(self, features: Tensor) -> RawMoments:
        """The raw moments, which blend linearly."""
        return raw_moments(features)

    def represent_within(self, features: Tensor, mask: LayerMask) -> RawMoments:
        """The raw moments of the region."""
        return moments_within(features, mask)

    def prepare(self, representation: RawMoments) -> Tensor:
        """The covariance, (batch, channels, channels)."""
        return covariance(representation)

    def compare(self, representation: RawMoments, target: Tensor) -> Tensor:
        """The mean squared difference to the target."""
        return mean_squared_error(covariance(representation), target)
