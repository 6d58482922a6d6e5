from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from torch.nn.utils.parametrizations import spectral_norm

from pystyle._arguments import whole_number
from pystyle.networks import SelfAttention

_MULTIPLES = (1, 2, 4, 8, 16, 16)
_BEFORE_ATTENTION = 2


class AttentiveDiscriminator(nn.Module):
    """Residual blocks with spectral normalisation, and a layer between them in which places see each other.

    Args:
        width: Channels of the first block. The others have 2, 4, 8, 16 and 16 times as many.

    Attributes:
        smallest: The smallest side of an image, in pixels.

    Raises:
        ValueError: If the number is not positive, or an image is too small.

    Shape:
        - image: (batch, 3, height, width), in [0, 1]
        - output: (batch, 1), of any range

    Example:
        >>> import torch
        >>> AttentiveDiscriminator(width=2)(torch.rand(5, 3, 128, 128)).shape
        torch.Size([5, 1])

    Note:
        It is saved by its `state_dict` and copied, but torch cannot pickle it whole.
    """

    smallest = 32

    def __init__(self, *, width: int = 64) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        widths = [3, *(self.width * multiple for multiple in _MULTIPLES)]
        last = len(_MULTIPLES) - 1
        self.blocks = nn.ModuleList(
            _Block(inputs, outputs, first=index == 0, halves=index < last)
            for index, (inputs, outputs) in enumerate(pairwise(widths))
        )
        self.attention = SelfAttention(widths[_BEFORE_ATTENTION])
        self.last = _spectral(nn.Linear(widths[-1], 1))

    def forward(self, image: Tensor) -> Tensor:
        """The scores: the higher, the more real."""
        if min(image.shape[-2:]) < self.smallest:
            raise ValueError(
                f"`image` must have sides of at least {self.smallest} pixels, got {image.shape[-2]} x "
                f"{image.shape[-1]}."
            )
        features = 2 * image - 1
        for index, block in enumerate(self.blocks, 1):
            features = block(features)
            if index == _BEFORE_ATTENTION:
                features = self.attention(features)
        scores: Tensor = self.last(features.relu().sum((2, 3)))
        return scores


def discriminator(*, width: int = 64) -> AttentiveDiscriminator:
    """The discriminator of the authors' code without its classes, with the weights it begins with.

    Args:
        width: Channels of the first block.

    Raises:
        ValueError: If the number is not positive.

    Example:
        >>> discriminator(width=8).attention.channels
        16
    """
    return AttentiveDiscriminator(width=width)


class _Block(nn.Module):
    """Two convolutions, and one of 1 x 1 beside them where size or channels change."""

    def __init__(self, inputs: int, outputs: int, *, first: bool, halves: bool) -> None:
        super().__init__()
        self.is_first, self.halves = first, halves
        self.first = _spectral(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.second = _spectral(nn.Conv2d(outputs, outputs, 3, padding=1))
        changes = halves or inputs != outputs
        self.shortcut = _spectral(nn.Conv2d(inputs, outputs, 1)) if changes else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        # The first block gets pixels, which have two signs.
        found = self.second(self.first(features if self.is_first else features.relu()).relu())
        beside = features
        if self.halves:
            # A mean and a convolution of 1 x 1 may be taken in any order.
            found, beside = avg_pool2d(found, 2), avg_pool2d(beside, 2)
        output: Tensor = found + self.shortcut(beside)
        return output


def _spectral(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return spectral_norm(layer)
