import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

from pystyle._arguments import whole_number
from pystyle.networks import Convolution, InstanceNormalization
from pystyle.networks._one_style_network import OneStyleNetwork

_SLOPE = 0.2
_EXPANSION = 2
_DEVIATION = 0.02


class AnimeNetwork(OneStyleNetwork):
    """The generator of AnimeGAN, for one style: most of its convolutions see each channel by itself.

    Args:
        width: Channels at the full size; twice and four times as many at a half and a quarter of it.
        num_blocks: How many inverted residual blocks there are.
        style: The name of the style.

    Raises:
        ValueError: If a number is not positive.
        TypeError: If the name is no string.

    Shape:
        - content, output: (batch, 3, height, width), multiples of 4, at least 8
        - code: (batch, 0)

    Example:
        >>> paint = AnimeNetwork(width=4, num_blocks=1).bind("style")
        >>> paint(torch.rand(1, 3, 50, 61)).shape
        torch.Size([1, 3, 50, 61])

    References:
        Chen, Liu, Chen, *AnimeGAN: a novel lightweight GAN for photo animation*, ISICA 2019.
    """

    stride = 4
    smallest = 8

    def __init__(self, *, width: int = 64, num_blocks: int = 8, style: str = "style") -> None:
        super().__init__(style)
        self.width = width = whole_number(width, "`width`", least=1)
        self.num_blocks = num_blocks = whole_number(num_blocks, "`num_blocks`", least=1)
        wide, wider = 2 * width, 4 * width
        self.layers = nn.Sequential(
            _convolution(3, width),
            _convolution(width, width),
            _Halving(width, wide),
            _convolution(wide, wide),
            _Separable(wide, wide),
            _Halving(wide, wider),
            _convolution(wider, wider),
            *[_Block(wider) for _ in range(num_blocks)],
            _convolution(wider, wider),
            _Doubling(wider, wide),
            _Separable(wide, wide),
            _convolution(wide, wide),
            _Doubling(wide, wide),
            _convolution(wide, width),
            _convolution(width, width),
        )
        self.output = nn.Conv2d(width, 3, 1, bias=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.xavier_uniform_(layer.weight)
        for layer in self.modules():
            if isinstance(layer, _Block):
                nn.init.trunc_normal_(
                    layer.depthwise.weight, 0.0, _DEVIATION, -2 * _DEVIATION, 2 * _DEVIATION
                )

    def forward(self, content: Tensor, code: Tensor) -> Tensor:  # noqa: ARG002
        """The picture, in [0, 1]."""
        picture: Tensor = self.output(self.layers(2 * content - 1)).tanh()
        return (picture + 1) / 2


def _normalization(channels: int) -> InstanceNormalization:
    return InstanceNormalization(channels, affine=True)


def _convolution(in_channels: int, out_channels: int, kernel_size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        Convolution(in_channels, out_channels, kernel_size, bias=False, border="reflect"),
        _normalization(out_channels),
        nn.LeakyReLU(_SLOPE),
    )


class _Separable(nn.Module):
    """A convolution of each channel by itself, then one of each pixel by itself."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.border = [1, 1, 1, 1] if stride == 1 else [0, 1, 0, 1]
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, stride, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.normalization = _normalization(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        found = self.depthwise(pad(features, self.border, mode="reflect"))
        return leaky_relu(self.normalization(self.pointwise(found)), _SLOPE)


class _Halving(nn.Module):
    """One that halves the size, plus one of every second pixel."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.stepping = _Separable(in_channels, out_channels, stride=2)
        self.dropping = _Separable(in_channels, out_channels)

    def forward(self, features: Tensor) -> Tensor:
        found: Tensor = self.stepping(features) + self.dropping(features[..., ::2, ::2])
        return found


class _Doubling(_Separable):
    """One of the features in twice the size: between two pixels there is their mean."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(_between(_between(features).mT).mT)


def _between(features: Tensor) -> Tensor:
    """With the mean of each pixel and that to its right behind it; the last one is repeated."""
    right = torch.cat([features[..., 1:], features[..., -1:]], 3)
    return torch.stack([features, (features + right) / 2], 4).flatten(3)


class _Block(nn.Module):
    """An inverted residual block: more channels, each convolved by itself, and as many as before."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = _EXPANSION * channels
        self.expand = _convolution(channels, wide, 1)
        self.depthwise = Convolution(wide, wide, groups=wide, bias=False, border="reflect")
        self.middle = _normalization(wide)
        self.reduce = nn.Conv2d(wide, channels, 1, bias=False)
        self.last = _normalization(channels)

    def forward(self, features: Tensor) -> Tensor:
        hidden = leaky_relu(self.middle(self.depthwise(self.expand(features))), _SLOPE)
        found: Tensor = features + self.last(self.reduce(hidden))
        return found
