import math
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from pystyle._arguments import whole_number

_NUMBER_OF_BLOCKS = 4
_WINDOW = 4


class Critic(nn.Module):
    """Residual blocks that halve the size, whose scores have no bounds.

    Args:
        width: Channels of the first layer. The blocks have twice, four, eight and eight times as many.

    Attributes:
        smallest: The smallest side of an image, in pixels: it has one score.

    Raises:
        ValueError: If the number is not positive, or an image is too small.

    Shape:
        - image: (batch, 3, height, width), in [0, 1]
        - output: (batch, 1, height / 16 - 3, width / 16 - 3), rounded down; of any range

    Example:
        >>> import torch
        >>> Critic(width=2)(torch.rand(5, 3, 64, 64)).shape
        torch.Size([5, 1, 1, 1])

    Note:
        Each image is normalised by itself, over all channels and places, so that a penalty of slopes is of
        each image alone.
    """

    smallest = 64

    def __init__(self, *, width: int = 64) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        widths = [self.width * 2 ** min(block, 3) for block in range(_NUMBER_OF_BLOCKS + 1)]
        self.first = _convolution(3, self.width)
        self.blocks = nn.Sequential(*(_Block(inputs, outputs) for inputs, outputs in pairwise(widths)))
        # One number for each of 4 x 4 places: a linear layer on images of 64 pixels.
        self.last = nn.Conv2d(widths[-1], 1, _WINDOW)
        bound = math.sqrt(6 / (widths[-1] * _WINDOW**2 + 1))
        nn.init.uniform_(self.last.weight, -bound, bound)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """The scores: the higher, the more real."""
        if min(image.shape[-2:]) < self.smallest:
            raise ValueError(
                f"`image` must have sides of at least {self.smallest} pixels, got {image.shape[-2]} x "
                f"{image.shape[-1]}."
            )
        scores: Tensor = self.last(self.blocks(self.first(2 * image - 1)))
        return scores


def discriminator(*, width: int = 64) -> Critic:
    """The critic of the authors' code for images of 64 pixels, with the weights it begins with.

    Args:
        width: Channels of the first layer.

    Raises:
        ValueError: If the number is not positive.

    Example:
        >>> sum(parameter.numel() for parameter in discriminator().parameters())
        7491841
    """
    return Critic(width=width)


class _Block(nn.Module):
    """Two convolutions of what is normalised, at half the size, and the mean of four pixels beside them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        gain = math.sqrt(2)
        self.first_norm, self.second_norm = (nn.GroupNorm(1, inputs) for _ in range(2))
        self.first = _convolution(inputs, inputs, bias=False, gain=gain)
        self.second = _convolution(inputs, outputs, gain=gain)
        self.shortcut = _convolution(inputs, outputs, size=1)

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.first(self.first_norm(features).relu())
        found = avg_pool2d(self.second(self.second_norm(hidden).relu()), 2)
        shortcut: Tensor = self.shortcut(avg_pool2d(features, 2))
        return shortcut + found


def _convolution(
    inputs: int, outputs: int, *, size: int = 3, bias: bool = True, gain: float = 1.0
) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias)
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
