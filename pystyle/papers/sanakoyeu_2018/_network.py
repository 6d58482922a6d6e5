from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from pystyle._arguments import whole_number
from pystyle.networks._one_style_network import OneStyleNetwork
from pystyle.papers.sanakoyeu_2018._layers import convolution, normalization

_BORDER = 15
"""Mirrored pixels at each side, which five convolutions without a border take away."""


class StyleAwareNetwork(OneStyleNetwork):
    """The encoder and the decoder of the paper, for one style.

    The encoder halves the size four times; the decoder has residual blocks and doubles it as often.

    Args:
        width: Channels at the full size; up to eight times as many in the features.
        num_blocks: How many residual blocks there are.
        style: The name of the style.

    Raises:
        ValueError: If a number is not positive.
        TypeError: If the name is no string.

    Shape:
        - content, output: (batch, 3, height, width), multiples of 16, at least 32
        - code: (batch, 0)

    Example:
        >>> import torch
        >>> paint = StyleAwareNetwork(width=2, num_blocks=1).bind("style")
        >>> paint(torch.rand(1, 3, 50, 61)).shape
        torch.Size([1, 3, 50, 61])
    """

    stride = 16
    smallest = 17

    def __init__(self, *, width: int = 32, num_blocks: int = 9, style: str = "style") -> None:
        super().__init__(style)
        self.width = width = whole_number(width, "`width`", least=1)
        self.num_blocks = num_blocks = whole_number(num_blocks, "`num_blocks`", least=1)
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        self.input = normalization(3)
        self.down = nn.ModuleList(
            nn.Sequential(convolution(inputs, outputs, stride=stride), normalization(outputs))
            for inputs, outputs, stride in zip([3, *widths[:-1]], widths, [1, 2, 2, 2, 2], strict=True)
        )
        self.blocks = nn.ModuleList(_block(widths[-1]) for _ in range(num_blocks))
        backwards = widths[:0:-1]
        self.up = nn.ModuleList(
            nn.Sequential(convolution(inputs, outputs, padding=1), normalization(outputs))
            for inputs, outputs in zip([widths[-1], *backwards[:-1]], backwards, strict=True)
        )
        self.output = convolution(width, 3, 7)

    def features(self, image: Tensor) -> Tensor:
        """What the encoder sees of an image, which is also how contents are compared.

        Shape:
            - image: (batch, 3, height, width), multiples of 16
            - output: (batch, 8 width, height / 16, width / 16)
        """
        features = pad(self.input(2 * image - 1), [_BORDER] * 4, mode="reflect")
        for layer in self.down:
            features = layer(features).relu()
        return features

    def forward(self, content: Tensor, code: Tensor) -> Tensor:  # noqa: ARG002
        """The picture, in [0, 1]."""
        features = self.features(content)
        for block in self.blocks:
            features = features + block(features)
        for layer in self.up:
            features = layer(interpolate(features, scale_factor=2)).relu()
        picture: Tensor = self.output(pad(features, [3] * 4, mode="reflect")).sigmoid()
        return picture


def _block(channels: int) -> nn.Sequential:
    """What a residual block adds."""
    return nn.Sequential(
        nn.ReflectionPad2d(1),
        convolution(channels, channels),
        normalization(channels),
        nn.ReLU(),
        nn.ReflectionPad2d(1),
        convolution(channels, channels),
        normalization(channels),
    )


def network(*, width: int = 32, num_blocks: int = 9, style: str = "style") -> StyleAwareNetwork:
    """The network, with random weights; see :class:`StyleAwareNetwork`.

    Args:
        width: Channels at the full size.
        num_blocks: How many residual blocks there are.
        style: The name of the style.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> sum(parameter.numel() for parameter in network().parameters())
        12006790
    """
    return StyleAwareNetwork(width=width, num_blocks=num_blocks, style=style)
