from torch import Tensor

from pystyle.functional import RawMoments, covariance, mean_absolute_error, raw_moments
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.losses._moments import moments_within


class MomentLoss(Loss):
    """The mean absolute differences of the means and of the covariances: a part of STROTSS.

    It holds the lengths of the feature vectors, to which the cosines of :class:`RelaxedEMDLoss`
    are blind.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the sum of the mean absolute entries of the target.
        reference: The name of the image to compare with.

    Example:
        >>> MomentLoss("relu3_1", weight=0.5)
        MomentLoss('relu3_1', weight=0.5)

    Note:
        The two terms have different units, so their ratio depends on the scale of the encoder.
        The paper's is torchvision's VGG-16, with activations of order one.

    References:
        Kolkin, Salavon, Shakhnarovich. *Style transfer by relaxed optimal transport and
        self-similarity*. CVPR 2019, section 2.2.
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

    def prepare(self, representation: RawMoments) -> tuple[Tensor, Tensor]:
        """The mean, (batch, channels), and the covariance, (batch, channels, channels)."""
        return representation.mean, covariance(representation)

    def compare(self, representation: RawMoments, target: tuple[Tensor, Tensor]) -> Tensor:
        """The sum of both mean absolute differences to the target."""
        mean, matrix = target
        return mean_absolute_error(representation.mean, mean) + mean_absolute_error(
            covariance(representation), matrix
        )
