from torch import Tensor

from pystyle.functional import channel_means
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss


class MeanLoss(Loss):
    """The mean squared difference of the channels' means: the cheapest style loss there is.

    It is the squared maximum mean discrepancy with a linear kernel, per channel.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.

    Example:
        >>> MeanLoss(["relu1_1", "relu2_1"])
        MeanLoss(['relu1_1', 'relu2_1'])

    Note:
        The paper sums over the channels where this takes the mean. Its quadratic kernel is
        :class:`GramLoss`, its matching of batch statistics :class:`MeanStdLoss`.

    References:
        Li, Wang, Liu, Hou. *Demystifying neural style transfer*. IJCAI 2017.
    """

    reference = "style"
    spatial = "pooled"

    def represent(self, features: Tensor) -> Tensor:
        """The means, (batch, channels)."""
        return channel_means(features)

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The means over the region."""
        return channel_means(features * mask.weights)
