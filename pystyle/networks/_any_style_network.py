from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from pystyle._arguments import whole_number
from pystyle.colors._pixels import transformed
from pystyle.colors._statistics import color_statistics, linear_map
from pystyle.functional._precision import at_least_float32
from pystyle.networks._bands import in_bands
from pystyle.networks._convolution import convolution
from pystyle.networks._instance_normalization import instance_normalization
from pystyle.networks._residual_block import ResidualBlock
from pystyle.networks._resize_convolution import ResizeConvolution
from pystyle.networks._stylizer import Stylizer

_EPS = 1e-5
_NOISE = 64
"""The edge of a tile of noise, in positions."""
_TILES = 8
"""How many tiles of noise there are, of which each channel gets a mixture."""


class StyleMoments(NamedTuple):
    """What :class:`AnyStyleNetwork` keeps of a style.

    Shape:
        - color_mean: (batch, 3)
        - color_covariance: (batch, 3, 3)
        - mean, deviation: (batch, channels of all scales)

    Example:
        >>> import torch
        >>> code = AnyStyleNetwork(width=2).represent_style(torch.rand(1, 3, 32, 32))
        >>> {name: tuple(tensor.shape) for name, tensor in code._asdict().items()}
        {'color_mean': (1, 3), 'color_covariance': (1, 3, 3), 'mean': (1, 36), 'deviation': (1, 36)}
    """

    color_mean: Tensor
    color_covariance: Tensor
    mean: Tensor
    deviation: Tensor


class AnyStyleNetwork(Stylizer):
    """A network that paints in the style of any image.

    A small encoder sees content and style at a half, a quarter and an eighth of their size. At each of these
    scales the features of the content get the means and deviations of those of the style; a decoder goes
    back up and takes them in. The content is recoloured first, so that the network need not learn colours.
    Nothing is normalised at the full size, where most of the memory is. Where a content is flat there is
    nothing that could become a brush stroke: a fixed noise is added to the features, the more the style
    varies.

    Args:
        width: Channels at the full size. Those at a half, a quarter and an eighth are 4, 6 and 8 times as
            many.

    Raises:
        ValueError: If the width is not positive.

    Shape:
        - style: (batch, 3, height, width), of at least 16 x 16 pixels
        - content, output: (batch, 3, height, width), multiples of 8

    Example:
        >>> import torch
        >>> network = AnyStyleNetwork(width=4)
        >>> network.bind(torch.rand(1, 3, 48, 32))(torch.rand(1, 3, 50, 37)).shape
        torch.Size([1, 3, 50, 37])

    References:
        Adaptive instance normalisation is that of Huang and Belongie, ICCV 2017, here at three scales; a
        small encoder of one's own in the place of VGG-19 is the idea of Wang et al., *MicroAST*, AAAI 2023,
        section 3, which has two encoders, separable convolutions and filters modulated by the style. Not in
        either: the third scale, the colours, scales and shifts that the style gives to the residual blocks.
    """

    stride = 8
    noise: Tensor

    def __init__(self, *, width: int = 8) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        full, half, quarter, eighth = width, 4 * width, 6 * width, 8 * width
        self.channels = (half, quarter, eighth)
        self.encoder = nn.ModuleList(
            [
                nn.Sequential(
                    convolution(3, full), nn.ReLU(inplace=True),
                    convolution(full, half, stride=2), nn.ReLU(inplace=True),
                    convolution(half, half), nn.ReLU(inplace=True),
                ),
                _halving(half, quarter),
                _halving(quarter, eighth),
            ]
        )  # fmt: skip
        self.blocks = nn.ModuleList([ResidualBlock(eighth), ResidualBlock(eighth), ResidualBlock(quarter)])
        self.to_quarter = ResizeConvolution(eighth, quarter)
        self.to_half = ResizeConvolution(quarter, half)
        self.at_half = convolution(half, half)
        self.to_full = ResizeConvolution(half, full)
        self.output = convolution(full, 3)
        noise = torch.randn(1, _TILES, _NOISE, _NOISE, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", noise)
        self.noise_at_eighth = nn.Parameter(torch.zeros(eighth, _TILES))
        self.noise_at_quarter = nn.Parameter(torch.zeros(quarter, _TILES))
        modulated = 2 * eighth + quarter
        self.modulation = nn.Linear(2 * sum(self.channels), 2 * modulated)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def represent_style(self, style: Tensor) -> StyleMoments:
        """The moments of the colours and of the features at all scales."""
        color_mean, color_covariance = color_statistics(style)
        means, deviations = zip(*(_moments(features) for features in self._encoded(style)), strict=True)
        return StyleMoments(
            color_mean.flatten(1), color_covariance, torch.cat(means, 1), torch.cat(deviations, 1)
        )

    def forward(self, content: Tensor, code: StyleMoments) -> Tensor:
        """The picture, in [0, 1]."""
        content = _recolored(content, code)
        means = torch.split(code.mean, list(self.channels), 1)
        deviations = torch.split(code.deviation, list(self.channels), 1)
        half, quarter, eighth = (
            instance_normalization(features, deviation, mean)
            for features, mean, deviation in zip(self._encoded(content), means, deviations, strict=True)
        )
        scales, shifts = self._modulation(code)
        features = self._with_noise(eighth, self.noise_at_eighth, deviations[2])
        features = self._modulated(self.blocks[0], features, scales[0], shifts[0])
        features = self._modulated(self.blocks[1], features, scales[1], shifts[1])
        features = quarter.add_(self.to_quarter(features).relu_())
        features = self._with_noise(features, self.noise_at_quarter, deviations[1])
        features = self._modulated(self.blocks[2], features, scales[2], shifts[2])
        # In place: these are the largest maps of all.
        features = half.add_(in_bands(self.to_half, features, halo=2, scale=Fraction(2)).relu_())
        return in_bands(self._picture, features, halo=4, scale=Fraction(2))

    def _picture(self, features: Tensor) -> Tensor:
        features = self.at_half(features).relu_()
        picture: Tensor = self.output(self.to_full(features).relu_()).sigmoid_()
        return picture

    def _encoded(self, image: Tensor) -> list[Tensor]:
        """The features at a half, a quarter and an eighth of the size."""
        first, second, third = self.encoder
        half = in_bands(lambda rows: first(2 * rows - 1), image, halo=4, scale=Fraction(1, 2))
        quarter = in_bands(second, half, halo=6, scale=Fraction(1, 2))
        return [half, quarter, third(quarter)]

    def _modulation(self, code: StyleMoments) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Scales and shifts for what the blocks add."""
        eighth, quarter = self.channels[2], self.channels[1]
        given = self.modulation(torch.cat([code.mean, code.deviation], 1))
        scales, shifts = given.chunk(2, 1)
        sizes = [eighth, eighth, quarter]
        return torch.split(1 + scales, sizes, 1), torch.split(shifts, sizes, 1)

    def _with_noise(self, features: Tensor, mixture: Tensor, deviation: Tensor) -> Tensor:
        """The features with noise, a tile beside the other, which is the same in each picture."""
        height, width = features.shape[2:]
        tiles = self.noise.repeat(1, 1, -(-height // _NOISE), -(-width // _NOISE))
        noise = conv2d(tiles[:, :, :height, :width], mixture[:, :, None, None])
        return features.addcmul_(noise, deviation[:, :, None, None])

    @staticmethod
    def _modulated(block: nn.Module, features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        added = block(features) - features
        moved: Tensor = features + added * scale[:, :, None, None] + shift[:, :, None, None]
        return moved


def _halving(in_channels: int, out_channels: int) -> nn.Sequential:
    down = convolution(in_channels, out_channels, stride=2)
    return nn.Sequential(down, nn.ReLU(inplace=True), ResidualBlock(out_channels))


def _recolored(content: Tensor, code: StyleMoments) -> Tensor:
    mean, covariance = color_statistics(content)
    matrix = linear_map(covariance, code.color_covariance, "symmetric")
    return transformed(matrix, content - mean) + code.color_mean[:, :, None, None]


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    wide = at_least_float32(features)
    variance, mean = torch.var_mean(wide, (2, 3), correction=0)
    return mean, (variance + _EPS).sqrt()
