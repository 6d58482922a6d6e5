from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss

from pystyle.colors._pixels import transformed
from pystyle.functional import mean_absolute_error
from pystyle.losses import GramLoss, Loss
from pystyle.papers.chen_2018._edges import gray
from pystyle.typing import IMAGE

_YUV = (
    (0.299, 0.587, 0.114),
    (-0.14714119, -0.28886916, 0.43601035),
    (0.61497538, -0.51496512, -0.10001026),
)
"""Of red, green and blue in brightness and both differences of colours, as TensorFlow has it."""


class GrayGramLoss(GramLoss):
    """The mean absolute difference to the Gram matrices of grey paintings: textures without their colours.

    The picture is seen as it is. The matrices are divided by positions and channels.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.

    Example:
        >>> GrayGramLoss("conv4_4", weight=3.0)
        GrayGramLoss('conv4_4', weight=3, normalization='chw')
    """

    def __init__(self, layers: str | Sequence[str], *, weight: float = 1.0) -> None:
        super().__init__(layers, weight=weight, normalization="chw")

    def views(self, image: Tensor) -> Sequence[Tensor]:
        """The painting in grey; a mask as it is."""
        return (gray(image) if image.shape[1] == 3 else image,)

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean absolute difference."""
        return mean_absolute_error(representation, target)


class ColorLoss(Loss):
    """The difference to the colours of the content: absolute in brightness, Huber's in both others.

    Args:
        weight: Factor of the loss.

    Example:
        >>> loss, black = ColorLoss(), torch.zeros(1, 3, 4, 4)
        >>> loss.compare(loss.represent(black + 0.5), loss.represent(black))
        tensor(0.5000)
    """

    reference = "content"
    spatial = "dense"

    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__(IMAGE, weight=weight)

    def represent(self, features: Tensor) -> Tensor:
        """The image as YUV."""
        return transformed(_YUV, features)

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The sum of the differences of the three channels, each a mean."""
        (brightness, *colors), (wanted, *others) = representation.unbind(1), target.unbind(1)
        differences = [huber_loss(*pair) for pair in zip(colors, others, strict=True)]
        return torch.stack([l1_loss(brightness, wanted), *differences]).sum()
