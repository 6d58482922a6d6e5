from torch import Tensor

from pystyle.losses import Loss
from pystyle.networks import instance_normalization
from pystyle.typing import Spatial


class NormalizedContentLoss(Loss):
    """The mean squared difference of features whose channels have mean 0 and deviation 1.

    So the picture may have the contrasts of the style, and keeps where there is more or less of a channel.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.

    Example:
        >>> NormalizedContentLoss(["relu4_1", "relu5_1"], layer_weights=[1.0, 1.0])
        NormalizedContentLoss(['relu4_1', 'relu5_1'], layer_weights=[1.0, 1.0])

    References:
        Park and Lee, *Arbitrary Style Transfer with Style-Attentional Networks*, CVPR 2019, section 3.3.
    """

    reference = "content"
    # The mean and the deviation are those of all positions.
    spatial: Spatial = "set"
    aligned = True

    def represent(self, features: Tensor) -> Tensor:
        """The normalised features."""
        return instance_normalization(features)
