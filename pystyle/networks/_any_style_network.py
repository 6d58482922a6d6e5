from typing import NamedTuple, get_args

import torch
from torch import Tensor, nn

from pystyle._arguments import whole_number
from pystyle.colors._pixels import transformed
from pystyle.colors._statistics import color_statistics, linear_map
from pystyle.functional._precision import without_autocast
from pystyle.networks._bands import in_bands, is_one_band
from pystyle.networks._feature_decoder import FeatureDecoder
from pystyle.networks._feature_moments import deviation, feature_moments, map_to_covariance
from pystyle.networks._features import Features
from pystyle.networks._light_features import LightFeatures
from pystyle.networks._noise import Noise
from pystyle.networks._style_modulation import StyleModulation
from pystyle.networks._stylizer import Stylizer
from pystyle.networks._vgg_features import VGGFeatures
from pystyle.typing import FeaturesName

_MIXTURE = 0.1
"""How large the share of a channel of noise in one of features is at first."""
_BLOCK = 2**25
"""See :func:`in_bands`: a band of a megapixel, of which the features are kept."""


class StyleMoments(NamedTuple):
    """What :class:`AnyStyleNetwork` keeps of a style.

    Shape:
        - color_mean: (batch, 3)
        - color_covariance: (batch, 3, 3)
        - fine_mean: (batch, channels): 128 of VGG-19, 2 `width` of light features
        - fine_covariance: (batch, channels, channels)
        - coarse_mean: (batch, channels): 256 of VGG-19, 4 `width` of light features
        - coarse_covariance: (batch, channels, channels)

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

    It sees content and style through VGG-19, at relu2_1 and relu3_1, or through a few convolutions of its
    own. The features of the content are centred and get the covariance of those of the style, by the linear
    map that moves them the least. A decoder paints the picture from them, whose layers are scaled and
    shifted by what the style is as a whole. The features know little of colours: at each size the decoder
    sees the content beside them, recoloured, and the picture gets the mean and the covariance of the colours
    of the style. Where a content is flat there is nothing that could become a brush stroke: features and
    colours get noise, the more the style varies. It is another one in each step of a training, and the same
    in each picture.

    VGG-19 is neither trained nor saved: its weights come with the installation of the library.

    Args:
        width: Channels of the decoder at the full size. It has 2 and 4 times as many at a half and a quarter.
        features: What the network sees images through: ``"vgg19"``, or ``"light"``, a few convolutions of
            as many channels as the decoder. They are trained with it, and several times as fast.

    Raises:
        ValueError: If the width is not positive, or the features are others.

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
    can_wrap = True

    def __init__(self, *, width: int = 32, features: FeaturesName = "vgg19") -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        if features not in get_args(FeaturesName):
            raise ValueError(f"`features` must be one of {get_args(FeaturesName)}, got {features!r}.")
        self.features = features
        self.encoder: Features = VGGFeatures() if features == "vgg19" else LightFeatures(self.width)
        self.noise = Noise()
        fine, coarse = self.encoder.fine_channels, self.encoder.coarse_channels
        self.decoder = FeatureDecoder(coarse, fine, width=self.width)
        self.modulation = StyleModulation(2 * (3 + fine + coarse), self.decoder.modulated_channels)
        self.fine_mixture = nn.Parameter(_MIXTURE * torch.randn(fine, self.noise.channels))
        self.coarse_mixture = nn.Parameter(_MIXTURE * torch.randn(coarse, self.noise.channels))

    def represent_style(self, style: Tensor) -> StyleMoments:
        """The moments of the colours and of the features."""
        with without_autocast(style):
            color_mean, color_covariance = color_statistics(style)
        fine, coarse = self.encoder.moments(style, numbers=_BLOCK)
        return StyleMoments(color_mean.flatten(1), color_covariance, *fine, *coarse)

    def forward(self, content: Tensor, code: StyleMoments) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        content = _recolored(content, code).clamp(0, 1)
        # Of a large content the features are not kept, but computed again where they are painted from.
        kept = self.encoder(content) if is_one_band(content, multiple=self.stride, numbers=_BLOCK) else None
        found = map(feature_moments, kept) if kept else self.encoder.moments(content, numbers=_BLOCK)
        fine_moments, coarse_moments = found
        fine_map = map_to_covariance(fine_moments, code.fine_covariance, self.fine_mixture)
        coarse_map = map_to_covariance(coarse_moments, code.coarse_covariance, self.coarse_mixture)
        covariance = code.color_covariance
        white = torch.eye(3, dtype=covariance.dtype, device=covariance.device).expand_as(covariance)
        colored = linear_map(white, covariance, "symmetric")
        modulations = self.modulation(_description(code))

        def painted(content: Tensor, white: Tensor, fine_noise: Tensor, coarse_noise: Tensor) -> Tensor:
            fine, coarse = kept or self.encoder(content)
            fine = fine_map(fine, fine_noise)
            coarse = coarse_map(coarse, coarse_noise)
            noise = transformed(colored, white)
            picture: Tensor = self.decoder(coarse, fine, 2 * content - 1, noise, modulations)
            return picture

        picture = in_bands(
            painted,
            content,
            *self._noises(content),
            halo=self.stride * self.decoder.halo + self.encoder.halo,
            multiple=self.stride,
            numbers=_BLOCK,
        ).to(content)
        # In a training the contrast of the decoder's picture would not matter, and run away.
        return picture if self.training else _recolored(picture, code)

    def _noises(self, content: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """White noise of the size of a content, and smooth noise of a half and a quarter of it."""
        shift = self.noise.random_shift() if self.training else (0, 0)
        count, _, height, width = content.shape
        half, quarter = (count, height // 2, width // 2), (count, height // 4, width // 4)
        return (
            self.noise.white((count, height, width), shift),
            self.noise.smooth(half, shift),
            self.noise.smooth(quarter, shift),
        )


def _recolored(image: Tensor, code: StyleMoments) -> Tensor:
    """The image with the mean and the covariance of the colours of a style."""
    with without_autocast(image):
        planes = image.contiguous()  # In a third of the time.
        mean, covariance = color_statistics(planes)
        matrix = linear_map(covariance, code.color_covariance, "symmetric")
        shift = code.color_mean[:, :, None] - matrix @ mean.flatten(2)
        return transformed(matrix, planes) + shift[..., None]


def _description(code: StyleMoments) -> Tensor:
    """The means and the deviations of a style, in one vector."""
    means = code.color_mean, code.fine_mean, code.coarse_mean
    covariances = code.color_covariance, code.fine_covariance, code.coarse_covariance
    return torch.cat([*means, *map(deviation, covariances)], 1)
