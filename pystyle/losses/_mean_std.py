from torch import Tensor

from pystyle.functional import RawMoments, mean_squared_error, mean_std, raw_moments
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.losses._moments import moments_within


class MeanStdLoss(Loss):
    """The mean squared difference of the channels' means and standard deviations.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.

    Example:
        >>> MeanStdLoss(["relu1_1", "relu2_1"])
        MeanStdLoss(['relu1_1', 'relu2_1'])

    Note:
        The paper sums over the channels where this takes the mean.

    References:
        Huang, Belongie. *Arbitrary style transfer in real-time with adaptive instance
        normalization*. ICCV 2017, equation 13. Li et al. *Demystifying neural style transfer*.
        IJCAI 2017, equation 10.
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
        """The means and standard deviations, (batch, 2, channels)."""
        return mean_std(representation)

    def compare(self, representation: RawMoments, target: Tensor) -> Tensor:
        """The mean squared difference to the target."""
        return mean_squared_error(mean_std(representation), target)
