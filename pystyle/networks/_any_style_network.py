from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pystyle._arguments import whole_number
from pystyle.colors._pixels import transformed
from pystyle.colors._statistics import color_statistics, linear_map
from pystyle.functional._precision import without_autocast
from pystyle.networks._bands import in_bands
from pystyle.networks._feature_decoder import FeatureDecoder
from pystyle.networks._feature_moments import FeatureMap, feature_moments, map_to_moments
from pystyle.networks._stylizer import Stylizer
from pystyle.networks._vgg_features import VGGFeatures

_NOISE = 64
"""The edge of a tile of noise, in positions."""
_TILES = 8
"""How many tiles of noise there are, of which each channel gets a mixture."""


class StyleMoments(NamedTuple):
    """What :class:`AnyStyleNetwork` keeps of a style.

    Shape:
        - color_mean: (batch, 3)
        - color_covariance: (batch, 3, 3)
        - fine_mean: (batch, 128)
        - fine_covariance: (batch, 128, 128)
        - coarse_mean: (batch, 256)
        - coarse_covariance: (batch, 256, 256)

    Example:
        >>> import torch
        >>> code = AnyStyleNetwork(width=2).represent_style(torch.rand(1, 3, 32, 32))
        >>> [tuple(tensor.shape) for tensor in code]
        [(1, 3), (1, 3, 3), (1, 128), (1, 128, 128), (1, 256), (1, 256, 256)]
    """

    color_mean: Tensor
    color_covariance: Tensor
    fine_mean: Tensor
    fine_covariance: Tensor
    coarse_mean: Tensor
    coarse_covariance: Tensor


class AnyStyleNetwork(Stylizer):
    """A network that paints in the style of any image.

    It sees content and style through VGG-19, at relu2_1 and relu3_1. The features of the content get the
    mean and the covariance of those of the style, by the linear map that moves them the least, and a decoder
    paints the picture from them. These features know little of colours: at each size the decoder sees the
    content beside them, recoloured, and the picture gets the mean and the covariance of the colours of the
    style. Where a content is flat there is nothing that could become a brush stroke: a fixed noise is added
    to the features of relu3_1, the more the style varies.

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
        at several layers one after the other; this one is trained to paint, as that of Huang and Belongie,
        ICCV 2017, is, from two layers at once. Colours and noise are in none of them.
    """

    stride = 4
    noise: Tensor

    def __init__(self, *, width: int = 32) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        self.encoder = VGGFeatures()
        channels = self.encoder.coarse_channels
        self.decoder = FeatureDecoder(channels, self.encoder.fine_channels, width=self.width)
        noise = torch.randn(1, _TILES, _NOISE, _NOISE, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", noise)
        self.mixture = nn.Parameter(torch.zeros(channels, _TILES))

    def represent_style(self, style: Tensor) -> StyleMoments:
        """The moments of the colours and of the features."""
        with without_autocast(style):
            color_mean, color_covariance = color_statistics(style)
        fine, coarse = self.encoder(style)
        colors = color_mean.flatten(1), color_covariance
        return StyleMoments(*colors, *feature_moments(fine), *feature_moments(coarse))

    def forward(self, content: Tensor, code: StyleMoments) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        content = _recolored(content, code).clamp(0, 1)
        fine, coarse = self.encoder(content)
        fine_map = map_to_moments(fine, code.fine_mean, code.fine_covariance)
        coarse_map = self._with_noise(
            map_to_moments(coarse, code.coarse_mean, code.coarse_covariance), code.coarse_covariance
        )

        def decoded(coarse: Tensor, noise: Tensor, fine: Tensor, content: Tensor) -> Tensor:
            moved = coarse_map(torch.cat([coarse, noise], 1)), fine_map(fine)
            picture: Tensor = self.decoder(*moved, 2 * content - 1)
            return picture

        maps = coarse, self._noise_of(coarse), fine, content
        picture = in_bands(decoded, *maps, halo=self.decoder.halo, scale=Fraction(self.stride)).to(content)
        # In a training the contrast of the decoder's picture would not matter, and run away.
        return picture if self.training else _recolored(picture, code)

    def _with_noise(self, coarse_map: FeatureMap, covariance: Tensor) -> FeatureMap:
        """The map for features with noise behind them, which each channel gets as its variance is."""
        deviation = covariance.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt()
        mixture = (self.mixture * deviation[:, :, None]).expand(len(coarse_map.matrix), -1, -1)
        return FeatureMap(torch.cat([coarse_map.matrix, mixture], 2), coarse_map.shift)

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
