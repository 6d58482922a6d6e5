import os
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.networks import (
    FrozenEncoder,
    HaarBands,
    Stylizer,
    feature_coloring,
    haar_pooling,
    whitening_coloring,
)
from pystyle.papers.yoo_2019._decoder import WaveletDecoder

Option = Literal["cat5", "sum"]
Place = Literal["encoder", "skip", "decoder"]
Transform = Callable[[Tensor], Tensor]

PLACES: tuple[Place, ...] = get_args(Place)
# The poolings between them are segments, too, so that they can be left out.
_LAYERS = (
    ("relu1_1", "relu1_2", "pool1"),
    ("relu2_1", "relu2_2", "pool2"),
    ("relu3_1", "relu3_4", "pool3"),
    ("relu4_1",),
)


class WCT2Network(Stylizer):
    """The network of the paper: VGG-19 with Haar wavelets as poolings, and a decoder that gets them back.

    Features are whitened and coloured in the encoder, at the details that skip to the decoder, and in the
    decoder. The code of a style is what they are coloured with, in the order in which it is needed.

    Args:
        option: What unpoolings give: ``"cat5"``, each band by itself and the features from before the
            pooling, or ``"sum"``, the sum of the bands.
        transfer: Where features are transferred. With none, ``()``, the network reconstructs what it sees,
            whatever the style: so its decoder is trained.
        weights: Those of VGG-19, see :func:`~pystyle.encoders.vgg19`. They are in no file of the network.

    Raises:
        ValueError: If an argument has another value.

    Shape:
        - content, output: (batch, 3, height, width)
        - code: for each transfer (batch, 1 + channels, channels)

    Example:
        >>> paint = WCT2Network(weights=None).bind(torch.rand(1, 3, 32, 40))
        >>> paint(torch.rand(1, 3, 50, 37), strength=0.5).shape
        torch.Size([1, 3, 50, 37])
    """

    stride = 8
    can_wrap = True

    def __init__(
        self,
        *,
        option: Option = "cat5",
        transfer: Sequence[Place] = PLACES,
        weights: str | os.PathLike[str] | None = "caffe_normalized",
    ) -> None:
        super().__init__()
        if option not in get_args(Option):
            raise ValueError(f"`option` must be one of {get_args(Option)}, got {option!r}.")
        if isinstance(transfer, str) or not set(transfer) <= set(PLACES):
            raise ValueError(f"`transfer` must be some of {PLACES}, got {transfer!r}.")
        self.option, self.weights = option, weights
        self.transfer = tuple(place for place in PLACES if place in transfer)
        self.encoder = FrozenEncoder(encoder_of(weights), [layer for layers in _LAYERS for layer in layers])
        self.decoder = WaveletDecoder(concatenates=option == "cat5")

    @torch.no_grad()
    def represent_style(self, style: Tensor) -> tuple[Tensor, ...]:
        """Mean and root of the covariance of the features at each place.

        The sides of the style are cropped to multiples of 8.
        """
        if not self.transfer:
            return (style.new_zeros(len(style), 1),)
        found: list[Tensor] = []

        def record(features: Tensor) -> Tensor:
            found.append(feature_coloring(features, added=1.0))
            return features

        self.transformed(cropped(style, self.stride), record)
        return tuple(found)

    def forward(self, content: Tensor, code: tuple[Tensor, ...]) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        return self.mixed(content, code, 1.0)

    def mixed(self, content: Tensor, code: tuple[Tensor, ...], strength: float) -> Tensor:
        """The picture of features between those of the content and those that are transferred.

        With a strength of 0 it is what the decoder makes of the content.
        """
        colorings = iter(code)
        return self.transformed(
            content, lambda features: transferred(features, next(colorings), strength=strength)
        )

    def transformed(self, image: Tensor, transform: Transform) -> Tensor:
        """The picture, when the features at each place are transformed, one place after the other."""
        features, details, originals = self._encoded(image, self._transform("encoder", transform))
        at_skip = self._transform("skip", transform)
        details = [HaarBands(bands.low, *map(at_skip, bands[1:])) for bands in details]
        # What the encoder has transferred is not transferred again.
        at_last = self._transform("decoder", transform)
        if "encoder" not in self.transfer:
            features = at_last(features)
        for index, (bands, original) in enumerate(zip(details[::-1], originals[::-1], strict=True)):
            features = at_last(self.decoder.stage(index, features, bands, original))
        return self.decoder.picture(features)

    def _encoded(self, image: Tensor, transform: Transform) -> tuple[Tensor, list[HaarBands], list[Tensor]]:
        """The features of relu4_1, and for each pooling its bands and what was before it."""
        details, originals, features = [], [], image
        for first, second in zip(self.encoder.segments[0::3], self.encoder.segments[1::3], strict=False):
            features = first(features)
            if self.option == "cat5":
                features = transform(features)
            features = second(features)
            originals.append(features)
            details.append(haar_pooling(features))
            features = details[-1].low
            if self.option == "sum":
                features = transform(features)
        return transform(self.encoder.segments[-1](features)), details, originals

    def _transform(self, place: Place, transform: Transform) -> Transform:
        return transform if place in self.transfer else lambda features: features


def encoder_of(weights: str | os.PathLike[str] | None) -> SequentialEncoder:
    """VGG-19 whose poolings are the low bands of :func:`haar_pooling`: averages, times 2."""
    return vgg19(weights, pooling="average", padding="reflect")


def transferred(features: Tensor, coloring: Tensor, *, strength: float) -> Tensor:
    """Features with mean and covariance of others, no smaller or larger than the smallest and largest."""
    if not strength:
        return features
    lowest, highest = (bound[:, None, None, None] for bound in features.flatten(1).aminmax(dim=1))
    result = whitening_coloring(features, coloring, added=1.0).to(features)
    return torch.lerp(features, result.clamp(lowest, highest), strength)


def cropped(image: Tensor, stride: int) -> Tensor:
    """The middle of an image, with sides that are multiples of the stride."""
    top, left = (side % stride // 2 for side in image.shape[2:])
    height, width = (side // stride * stride for side in image.shape[2:])
    return image[:, :, top : top + height, left : left + width]


def network(
    *,
    option: Option = "cat5",
    transfer: Sequence[Place] = PLACES,
    weights: str | os.PathLike[str] | None = "caffe_normalized",
) -> WCT2Network:
    """The network, whose decoder has random weights; see :class:`WCT2Network`.

    Args:
        option: What unpoolings give.
        transfer: Where features are transferred; ``()`` for the training.
        weights: Those of VGG-19.

    Raises:
        ValueError: If an argument has another value.

    Example:
        >>> paint = network(option="sum", transfer=["encoder", "skip"], weights=None)
        >>> sum(parameter.numel() for parameter in paint.parameters())
        3505219
    """
    return WCT2Network(option=option, transfer=transfer, weights=weights)
