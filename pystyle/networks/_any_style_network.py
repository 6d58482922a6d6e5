from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from pystyle._arguments import whole_number
from pystyle.colors._pixels import transformed
from pystyle.colors._statistics import color_statistics, linear_map
from pystyle.functional._precision import at_least_float32, without_autocast
from pystyle.networks._bands import in_bands
from pystyle.networks._convolution import convolution
from pystyle.networks._instance_normalization import instance_normalization
from pystyle.networks._residual_block import ResidualBlock
from pystyle.networks._resize_convolution import ResizeConvolution
from pystyle.networks._stylizer import Stylizer
from pystyle.networks._vgg_features import VGGFeatures

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
        - mean, deviation: (batch, 256)

    Example:
        >>> import torch
        >>> code = AnyStyleNetwork(width=2).represent_style(torch.rand(1, 3, 32, 32))
        >>> {name: tuple(tensor.shape) for name, tensor in code._asdict().items()}
        {'color_mean': (1, 3), 'color_covariance': (1, 3, 3), 'mean': (1, 256), 'deviation': (1, 256)}
    """

    color_mean: Tensor
    color_covariance: Tensor
    mean: Tensor
    deviation: Tensor


class AnyStyleNetwork(Stylizer):
    """A network that paints in the style of any image.

    It sees content and style through VGG-19, at relu3_1. The features of the content get the means and
    deviations of those of the style, channel by channel, and a decoder paints the picture from them. The
    content is recoloured first, because these features know little of colours. Where a content is flat there
    is nothing that could become a brush stroke: a fixed noise is added to the features, the more the style
    varies.

    Only the decoder is trained and saved. The weights of VGG-19 come with the installation of the library.

    Args:
        width: Channels of the decoder at the full size. It has 2 and 4 times as many at a half and a quarter.

    Raises:
        ValueError: If the width is not positive.

    Shape:
        - style: (batch, 3, height, width), of at least 16 x 16 pixels
        - content, output: (batch, 3, height, width), multiples of 4

    Example:
        >>> import torch
        >>> network = AnyStyleNetwork(width=4)
        >>> network.bind(torch.rand(1, 3, 48, 32))(torch.rand(1, 3, 50, 37)).shape
        torch.Size([1, 3, 50, 37])

    References:
        Huang and Belongie, *Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization*, ICCV
        2017, section 4. They have relu4_1, a decoder that mirrors the encoder, and neither recoloured
        contents, nor noise, nor a residual block.
    """

    stride = 4
    noise: Tensor

    def __init__(self, *, width: int = 32) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        self.encoder = VGGFeatures()
        full, half, quarter = width, 2 * width, 4 * width
        self.at_quarter = nn.Sequential(
            convolution(self.encoder.channels, quarter), nn.ReLU(inplace=True), ResidualBlock(quarter)
        )
        self.upwards = nn.Sequential(
            ResizeConvolution(quarter, half), nn.ReLU(inplace=True),
            convolution(half, half), nn.ReLU(inplace=True),
            ResizeConvolution(half, full), nn.ReLU(inplace=True),
            convolution(full, 3), nn.Sigmoid(),
        )  # fmt: skip
        noise = torch.randn(1, _TILES, _NOISE, _NOISE, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", noise)
        self.mixture = nn.Parameter(torch.zeros(self.encoder.channels, _TILES))

    def represent_style(self, style: Tensor) -> StyleMoments:
        """The moments of the colours and of the features."""
        with without_autocast(style):
            color_mean, color_covariance = color_statistics(style)
        mean, deviation = _moments(self.encoder(style))
        return StyleMoments(color_mean.flatten(1), color_covariance, mean, deviation)

    def forward(self, content: Tensor, code: StyleMoments) -> Tensor:
        """The picture, in [0, 1]."""
        features = self.encoder(_recolored(content, code))
        features = instance_normalization(features, code.deviation, code.mean)
        features = self.at_quarter(self._with_noise(features, code.deviation))
        return in_bands(self.upwards, features, halo=3, scale=Fraction(4))

    def _with_noise(self, features: Tensor, deviation: Tensor) -> Tensor:
        """The features with noise, a tile beside the other, which is the same in each picture."""
        height, width = features.shape[2:]
        tiles = self.noise.repeat(1, 1, -(-height // _NOISE), -(-width // _NOISE))
        noise = conv2d(tiles[:, :, :height, :width], self.mixture[:, :, None, None])
        return features.addcmul_(noise, deviation[:, :, None, None])


def _recolored(content: Tensor, code: StyleMoments) -> Tensor:
    with without_autocast(content):
        mean, covariance = color_statistics(content)
        matrix = linear_map(covariance, code.color_covariance, "symmetric")
        recolored = transformed(matrix, content - mean) + code.color_mean[:, :, None, None]
        return recolored.clamp(0, 1)


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    wide = at_least_float32(features)
    variance, mean = torch.var_mean(wide, (2, 3), correction=0)
    return mean, (variance + _EPS).sqrt()
