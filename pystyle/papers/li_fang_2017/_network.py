import os
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from pystyle._arguments import number, whole_numbers
from pystyle.functional._precision import without_autocast
from pystyle.networks import FrozenEncoder, Stylizer, feature_coloring, mirror, whitening_coloring
from pystyle.papers._normalized_vgg import normalized_vgg19

LEVELS = (5, 4, 3, 2, 1)
Transform = Callable[[Tensor], Tensor]


class WCTNetwork(Stylizer):
    """The network of the paper: at each level an encoder, whitening and colouring, and a decoder.

    Each level looks at the picture of the one before. The code of a style is what gives whitened features
    its mean and covariance, for each level; a blend of codes is the blend of features of the authors' code.

    Args:
        levels: From which of relu1_1 to relu5_1 the picture is painted, one after the other.
        alpha: How much of the transformed features a level takes.
        weights: Those of VGG-19, see :func:`~pystyle.encoders.vgg19`. They are in no file of the network.

    Attributes:
        decoders: The decoder of each level, in the order of `levels`.

    Raises:
        ValueError: If `levels` are not different numbers from 1 to 5, or `alpha` is not in [0, 1].

    Shape:
        - content, output: (batch, 3, height, width)
        - code: for each level (batch, 1 + channels, channels)

    Example:
        >>> paint = WCTNetwork(levels=(2, 1), weights=None).bind(torch.rand(1, 3, 32, 40))
        >>> paint(torch.rand(1, 3, 50, 37), strength=0.5).shape
        torch.Size([1, 3, 50, 37])

    Note:
        Half precision is for the decoders alone. Whitening enlarges directions that hardly vary, and with
        them what was rounded.
    """

    stride = 16
    smallest = 32

    def __init__(
        self,
        *,
        levels: Sequence[int] = LEVELS,
        alpha: float = 0.6,
        weights: str | os.PathLike[str] | None = "caffe_normalized",
    ) -> None:
        super().__init__()
        self.levels, self.weights = checked_levels(levels), weights
        self.alpha = number(alpha, "`alpha`", least=0, most=1)
        encoder = normalized_vgg19(weights)
        self.encoder = FrozenEncoder(encoder, [layer_of(level) for level in sorted(self.levels)])
        self.decoders = nn.ModuleList(
            mirror(encoder, layer_of(level), border="reflect") for level in self.levels
        )

    def represent_style(self, style: Tensor) -> tuple[Tensor, ...]:
        """Mean and root of the covariance of the features of each level."""
        with without_autocast(style):
            found = dict(zip(sorted(self.levels), self.encoder(style), strict=True))
        return tuple(feature_coloring(found[level]) for level in self.levels)

    def forward(self, content: Tensor, code: tuple[Tensor, ...]) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        return self.mixed(content, code, 1.0)

    def mixed(self, content: Tensor, code: tuple[Tensor, ...], strength: float) -> Tensor:
        """The picture with `alpha` times the strength at each level.

        With a strength of 0 it is what the decoders, one after the other, make of the content.
        """
        return self.transformed(content, transforms_to(code), self.alpha * strength)

    def transformed(self, content: Tensor, transforms: Sequence[Transform], alpha: float) -> Tensor:
        """The picture, when the features of each level are transformed.

        Args:
            content: The images.
            transforms: What happens to the features of each level.
            alpha: How much of the transformed features a level takes.
        """
        picture = content
        for level, decoder, transform in zip(self.levels, self.decoders, transforms, strict=True):
            features = self.features(picture, level)
            if alpha:
                features = torch.lerp(features, transform(features).to(features), alpha)
            picture = decoder(features)
        return picture

    def features(self, image: Tensor, level: int) -> Tensor:
        """What the encoder of a level sees of an image."""
        # In the precision of the weights: whitening enlarges what half precision rounds.
        with without_autocast(image):
            image = image.to(next(self.parameters()))
            for segment in self.encoder.segments[: sorted(self.levels).index(level) + 1]:
                image = segment(image)
        return image


def transforms_to(code: tuple[Tensor, ...]) -> list[Transform]:
    """Whitening and colouring for each level."""
    return [partial(whitening_coloring, coloring=coloring) for coloring in code]


def layer_of(level: int) -> str:
    """The layer that the decoder of a level begins at."""
    return f"relu{level}_1"


def checked_levels(levels: Sequence[int]) -> tuple[int, ...]:
    """The levels, if there are such."""
    found = whole_numbers(levels, "`levels`", least=1, most=5)
    if not found or len(set(found)) < len(found):
        raise ValueError(f"`levels` must be different numbers from 1 to 5, got {found}.")
    return found


def network(
    *,
    levels: Sequence[int] = LEVELS,
    alpha: float = 0.6,
    weights: str | os.PathLike[str] | None = "caffe_normalized",
) -> WCTNetwork:
    """The network, whose decoders have random weights; see :class:`WCTNetwork`.

    :func:`joined` makes it of decoders that were trained.

    Args:
        levels: From which layers the picture is painted, one after the other.
        alpha: How much of the transformed features a level takes.
        weights: Those of VGG-19.

    Raises:
        ValueError: If `levels` are not different numbers from 1 to 5, or `alpha` is not in [0, 1].

    Example:
        >>> paint = network(levels=(3, 2, 1), weights=None)
        >>> [sum(weight.numel() for weight in decoder.parameters()) for decoder in paint.decoders]
        [555075, 112451, 1731]
    """
    return WCTNetwork(levels=levels, alpha=alpha, weights=weights)
