from torch import Tensor

from pystyle.losses._loss import Loss


class ContentLoss(Loss):
    """The mean squared difference of the features themselves.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.

    Shape:
        The image and its reference must have the same size.

    Example:
        >>> ContentLoss("relu4_2", weight=5.0)
        ContentLoss('relu4_2', weight=5)

    Note:
        The paper writes half the sum of squares (equation 1); its authors' code takes the mean,
        as here.

    References:
        Gatys, Ecker, Bethge. *Image style transfer using convolutional neural networks*. CVPR 2016.
    """

    reference = "content"
    spatial = "dense"

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features
