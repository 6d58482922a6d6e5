from torch import Tensor

from pystyle._arguments import number
from pystyle.functional import p_norm
from pystyle.losses._loss import Loss
from pystyle.typing import IMAGE


class PNormLoss(Loss):
    """The mean p-th power of the image's distance from grey, which holds back extreme colours.

    Black, white and pure colours have 1 per channel, grey has 0. It is the soft relative of
    :class:`ValueRangeLoss`: it pulls before the end of the range is reached.

    Args:
        exponent: The p; the larger, the more it is a mere wall at the ends of the range.
        weight: Factor of the loss.

    Raises:
        ValueError: If `exponent` is not positive.

    Example:
        >>> PNormLoss(weight=0.1)
        PNormLoss('image', weight=0.1)

    References:
        Mahendran, Vedaldi. *Visualizing deep convolutional neural networks using natural pre-images*. IJCV
        2016. In style transfer: Katherine Crowson's style_transfer, 2017.
    """

    reference = None
    spatial = "dense"

    def __init__(self, exponent: float = 6.0, *, weight: float = 1.0) -> None:
        super().__init__(IMAGE, weight=weight)
        self.exponent = number(exponent, "`exponent`", above=0)

    def represent(self, features: Tensor) -> Tensor:
        """The mean power itself."""
        return p_norm(features, exponent=self.exponent)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return super().extra_repr() + ("" if self.exponent == 6 else f", exponent={self.exponent:g}")
