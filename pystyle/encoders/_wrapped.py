import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle._wrapping import axes_of, check_multiple, checked_wrap, nearest_multiples, wrapping
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import LayerGeometry
from pystyle.typing import Wrap

_TOLERANCE = 0.02
"""How far features of a shifted image may be from shifted features, relative to the largest: half precision
stays below a fifth of it, a border of zeros is far above."""


class WrappedEncoder(Encoder):
    """An encoder of images that wrap: beyond one side it sees the other side again.

    So the features of a tile are those of the middle of nine such tiles, and those of a panorama go on behind
    it as if one had turned around. Convolutions and poolings find the other side where they had zeros,
    mirrors or the last pixels; the weights are the same.

    Args:
        encoder: The encoder, which is shared and not changed.
        wrap: ``"both"`` for what is laid beside itself in rows and columns, ``"horizontal"`` for panoramas.
        layers: Those that will be wanted; all of the encoder if not given.

    Raises:
        ValueError: If `wrap` is another, or one of the layers cannot wrap: features of a shifted image are
            not the shifted features, as where an encoder adds something to each position.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]; the sides that wrap are multiples of
          :meth:`multiple`

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg11
        >>> encoder = WrappedEncoder(vgg11(weights=None), "both")
        >>> image = torch.rand(1, 3, 32, 48)
        >>> features, moved = (encoder(one, ["relu2_1"])["relu2_1"] for one in (image, image.roll(8, 3)))
        >>> torch.allclose(features.roll(4, 3), moved, atol=1e-4)
        True

    Note:
        It is exact, not a margin around the image: also where an image is smaller than what a position sees.
        Where a stride does not divide a side, no layer could wrap, and an error says so.
    """

    def __init__(self, encoder: Encoder, wrap: Wrap, *, layers: Sequence[str] | None = None) -> None:
        super().__init__()
        if checked_wrap(wrap) is None:
            raise ValueError("`wrap` must be 'both' or 'horizontal', got None. Use the encoder itself.")
        self.encoder = encoder
        self.wrap: Wrap = wrap
        self.eval()
        wanted = encoder.layers if layers is None else tuple(layers)
        encoder.check_layers(wanted)
        if wanted and all(parameter.device.type != "meta" for parameter in encoder.parameters()):
            self._check_shifts(wanted)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the encoder."""
        return self.encoder.layers

    @property
    def image_dtype(self) -> torch.dtype | None:
        """The type of image that the encoder takes."""
        return self.encoder.image_dtype

    def multiple(self, layers: Sequence[str]) -> int:
        """What the sides that wrap must be multiples of, in pixels."""
        return self.encoder.multiple(layers)

    def nearest_size(self, size: tuple[int, int], layers: Sequence[str]) -> tuple[int, int]:
        """The nearest height and width that have a whole number of positions at all layers.

        Example:
            >>> from pystyle.encoders import vgg11
            >>> WrappedEncoder(vgg11(weights=None), "horizontal").nearest_size((100, 150), ["relu3_1"])
            (100, 152)
        """
        return nearest_multiples(size, self.wrap, self.multiple(layers))

    def check_size(self, size: tuple[int, int], layers: Sequence[str], label: str) -> None:
        """Check that an image of this height and width has a whole number of positions at all layers.

        Raises:
            ValueError: If a side that wraps is no multiple of :meth:`multiple`.
        """
        check_multiple(size, self.wrap, self.multiple(layers), label)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of the wanted layers.

        Raises:
            ValueError: If a side that wraps is no multiple of :meth:`multiple`.
        """
        self.check_layers(layers)
        self.check_size((image.shape[2], image.shape[3]), layers, "`image`")
        with wrapping(self.wrap):
            features: dict[str, Tensor] = self.encoder(image, layers)
        return features

    def geometry(self, layer: str) -> LayerGeometry:
        """The geometry of the layer, which is that of the encoder."""
        return self.encoder.geometry(layer)

    def segments(self, layers: Sequence[str]) -> list[tuple[Encoder, tuple[str, ...]]]:
        """The segments of the encoder, which wrap too."""
        return [(self._around(segment), wanted) for segment, wanted in self.encoder.segments(layers)]

    @property
    def of_strips(self) -> Encoder:
        """The encoder of strips of rows, each with those that it sees around it: they wrap sideways only."""
        strips = self._around(self.encoder)
        strips.wrap = "horizontal"
        return strips

    def _around(self, encoder: Encoder) -> "WrappedEncoder":
        """The same for a segment, which need not be checked again."""
        whole = copy.copy(self)
        whole._modules = {**self._modules, "encoder": encoder}
        return whole

    @torch.no_grad()
    def _check_shifts(self, layers: Sequence[str]) -> None:
        """Check that features of a shifted image are the shifted features.

        Raises:
            ValueError: If they are not, at one of the layers.
        """
        multiple = self.multiple(layers)
        side = max(2, math.ceil(self.minimum_size(layers) / multiple)) * multiple
        # Of a module that takes one size only.
        side = getattr(self.encoder, "image_size", None) or side
        like = next(self.encoder.parameters(), torch.empty(0))
        generator = torch.Generator().manual_seed(0)
        image = torch.rand(1, 3, side, side, generator=generator, device="cpu")
        image = image.to(like.device, self.image_dtype or image.dtype)
        axes = axes_of(self.wrap)
        features = self(image, layers)
        moved = self(image.roll([multiple] * len(axes), axes), layers)
        for layer in layers:
            stride = self.stride(layer)
            if any(features[layer].shape[axis] != side // stride for axis in axes):
                expected = None
            else:
                expected = features[layer].roll([multiple // stride] * len(axes), axes).float()
            most = features[layer].float().abs().max()
            if expected is None or (moved[layer].float() - expected).abs().max() > _TOLERANCE * most:
                raise ValueError(
                    f"`encoder` cannot wrap at the layer {layer!r}: it gives other features where the image "
                    "is shifted, since it knows where a position lies or takes borders in a way of its own. "
                    "Use another encoder or other layers."
                )
