from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pixel_shuffle, pixel_unshuffle

from pystyle._arguments import whole_number
from pystyle.colors._pixels import transformed
from pystyle.colors._statistics import color_statistics, linear_map
from pystyle.functional._precision import without_autocast
from pystyle.networks._bands import in_bands
from pystyle.networks._convolution import convolution
from pystyle.networks._feature_moments import feature_moments, transport_map
from pystyle.networks._residual_block import ResidualBlock
from pystyle.networks._resize_convolution import ResizeConvolution
from pystyle.networks._stylizer import Stylizer
from pystyle.networks._vgg_features import VGGFeatures

_NOISE = 64
"""The edge of a tile of noise, in positions."""
_TILES = 8
"""How many tiles of noise there are, of which each channel gets a mixture."""
_COLORS = 3
_HALO = 6
"""How many positions around its own the decoder sees, at most."""


class StyleMoments(NamedTuple):
    """What :class:`AnyStyleNetwork` keeps of a style.

    Shape:
        - color_mean: (batch, 3)
        - color_covariance: (batch, 3, 3)
        - mean: (batch, 256)
        - covariance: (batch, 256, 256)

    Example:
        >>> import torch
        >>> code = AnyStyleNetwork(width=2).represent_style(torch.rand(1, 3, 32, 32))
        >>> {name: tuple(tensor.shape) for name, tensor in code._asdict().items()}
        {'color_mean': (1, 3), 'color_covariance': (1, 3, 3), 'mean': (1, 256), 'covariance': (1, 256, 256)}
    """

    color_mean: Tensor
    color_covariance: Tensor
    mean: Tensor
    covariance: Tensor


class AnyStyleNetwork(Stylizer):
    """A network that paints in the style of any image.

    It sees content and style through VGG-19, at relu3_1. The features of the content get the mean and the
    covariance of those of the style, by the linear map that moves them the least, and a decoder paints the
    picture from them. These features know little of colours and of what is small: at each size the decoder
    sees the content beside them, recoloured, and the picture gets the mean and the covariance of the colours
    of the style. Where a content is flat there is nothing that could become a brush stroke: a fixed noise is
    added to the features, the more the style varies.

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

    Note:
        The map is a constant for gradients: none reaches a style through its covariance.

    References:
        That features get the covariance of a style is due to Li et al., *Universal Style Transfer via Feature
        Transforms*, NeurIPS 2017, section 3.2; by the map that moves them the least to Lu et al., *A
        Closed-Form Solution to Universal Style Transfer*, ICCV 2019, equation 15. Their decoders reconstruct,
        at several layers one after the other; this one is trained to paint, at one layer, as that of Huang
        and Belongie, ICCV 2017, is. Colours and noise are in none of them.
    """

    stride = 4
    noise: Tensor

    def __init__(self, *, width: int = 32) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        self.encoder = VGGFeatures()
        full, half, quarter = width, 2 * width, 4 * width
        self.at_quarter = nn.Sequential(
            convolution(self.encoder.channels + _COLORS, quarter), nn.ReLU(inplace=True),
            ResidualBlock(quarter),
            ResizeConvolution(quarter, half), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.at_half = nn.Sequential(
            convolution(half + _COLORS, half), nn.ReLU(inplace=True),
            ResizeConvolution(half, full), nn.ReLU(inplace=True),
        )  # fmt: skip
        last = convolution(full + _COLORS, 3)
        with torch.no_grad():
            # So that a training begins with pictures that have the shapes and the colours of their contents.
            last.weight[:, full:, 1, 1] += 2 * torch.eye(3)
        self.at_full = nn.Sequential(last, nn.Sigmoid())
        noise = torch.randn(1, _TILES, _NOISE, _NOISE, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", noise)
        self.mixture = nn.Parameter(torch.zeros(self.encoder.channels, _TILES))

    def represent_style(self, style: Tensor) -> StyleMoments:
        """The moments of the colours and of the features."""
        with without_autocast(style):
            color_mean, color_covariance = color_statistics(style)
        return StyleMoments(color_mean.flatten(1), color_covariance, *feature_moments(self.encoder(style)))

    def forward(self, content: Tensor, code: StyleMoments) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        content = _recolored(content, code).clamp(0, 1)
        features = self.encoder(content)
        mean, covariance = feature_moments(features)
        with without_autocast(features):
            matrix = transport_map(covariance, code.covariance)
            shift = code.mean - (matrix @ mean[:, :, None])[:, :, 0]
        noise = self._noise_of(features)
        deviation = code.covariance.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt()
        mixture = (self.mixture * deviation[:, :, None]).expand(len(matrix), -1, -1)
        # One product for the features and the noise.
        matrix = torch.cat([matrix, mixture], 2)
        seen = torch.cat([features, noise, pixel_unshuffle(content, self.stride)], 1)
        del features  # The largest of all maps, which is in this one.
        picture = in_bands(
            lambda rows: self._decoded(rows, matrix, shift), seen, halo=_HALO, scale=Fraction(self.stride)
        )
        picture = picture.to(content)
        # In a training the contrast of the decoder's picture would not matter, and run away.
        return picture if self.training else _recolored(picture, code)

    def _decoded(self, rows: Tensor, matrix: Tensor, shift: Tensor) -> Tensor:
        """What the decoder paints of rows of features, noise, and the content folded to their size."""
        features, content = rows[:, : matrix.shape[2]], rows[:, matrix.shape[2] :]
        colors = 2 * pixel_shuffle(content, self.stride) - 1
        last = features.permute(0, 2, 3, 1)
        moved = torch.baddbmm(shift[:, None], last.flatten(1, 2), matrix.mT)
        moved = moved.view(*last.shape[:3], -1).permute(0, 3, 1, 2)
        painted = self.at_quarter(torch.cat([moved, avg_pool2d(colors, 4)], 1))
        painted = self.at_half(torch.cat([painted, avg_pool2d(colors, 2)], 1))
        picture: Tensor = self.at_full(torch.cat([painted, colors], 1))
        return picture

    def _noise_of(self, features: Tensor) -> Tensor:
        """Noise for all positions, a tile beside the other, which is the same in each picture."""
        batch, _, height, width = features.shape
        tiles = self.noise.repeat(1, 1, -(-height // _NOISE), -(-width // _NOISE))
        return tiles[:, :, :height, :width].expand(batch, -1, -1, -1)


def _recolored(image: Tensor, code: StyleMoments) -> Tensor:
    """The image with the mean and the covariance of the colours of a style."""
    with without_autocast(image):
        mean, covariance = color_statistics(image)
        matrix = linear_map(covariance, code.color_covariance, "symmetric")
        return transformed(matrix, image - mean) + code.color_mean[:, :, None, None]
