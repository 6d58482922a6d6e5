from torch import Tensor

from pystyle.functional import channel_means
from pystyle.losses import LayerMask, Loss


class GuidedSumLoss(Loss):
    r"""The mean squared difference of the sums of features over a region, times its guide.

    .. math:: \frac{1}{N} \left\| \frac{1}{M} \sum_p T_p F_p - \frac{1}{M_s} \sum_p T^s_p F^s_p \right\|^2
              \qquad \frac{1}{M} \sum_p T_p^2 = 1

    It is not the difference of the means over the regions, :class:`pystyle.MeanLoss`: the sum of a region
    that is a quarter of the image is half its mean. So it is no loss of a region as if that were an image of
    its own, and :func:`pystyle.testing.check_loss` says so.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.

    Example:
        >>> GuidedSumLoss("relu3_1").within("sky", propagation="inside")
        GuidedSumLoss('relu3_1').within('sky', propagation='inside')
    """

    reference = "style"
    spatial = "pooled"

    def represent(self, features: Tensor) -> Tensor:
        """The means, (batch, channels): the guide is 1 everywhere."""
        return channel_means(features)

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The means of the features times the guide."""
        return channel_means(features * mask.weights.sqrt().to(features))
