from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from pystyle.encoders._encoder import Encoder
from pystyle.encoders._segment import LayerRows
from pystyle.encoders._strips import StripPass
from pystyle.encoders._wrapped import WrappedEncoder


class BandPass:
    """The share of one of several workers in a pass over an image, which they do without each other.

    The image is divided into as many bands of rows as there are workers. Each goes through its band,
    and through what the rows of its band see around it, in strips. Together they give every row of
    every layer once, and the sum of their gradients is that of the image.

    Args:
        encoder: The encoder.
        layers: The layers that are wanted.
        rows: Height of a strip; see :class:`StripPass`.
        index: Which worker this is, from 0.
        count: How many there are.

    Raises:
        ValueError: If `index` is not that of a worker, or the encoder wraps in rows.

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg11
        >>> encoder, image = vgg11(weights=None), torch.rand(1, 3, 64, 16)
        >>> workers = [BandPass(encoder, ["relu2_1"], rows=16, index=index, count=2) for index in (0, 1)]
        >>> parts = [part for worker in workers for part in worker.forward(image)]
        >>> sum(part.share for part in parts)
        1.0
    """

    def __init__(self, encoder: Encoder, layers: Sequence[str], *, rows: int, index: int, count: int) -> None:
        if not 0 <= index < count:
            raise ValueError(f"`index` must be from 0 to {count - 1} for {count} workers, got {index}.")
        if isinstance(encoder, WrappedEncoder) and encoder.wrap == "both":
            raise ValueError(
                "`encoder` must not wrap in rows where several workers share an image by its rows, got one "
                "of tiles. Use one worker, or an encoder of panoramas."
            )
        self._encoder = encoder
        self._layers = tuple(layers)
        self._strips = StripPass(encoder, layers, rows=rows)
        self._index, self._count = index, count
        self._geometry = {layer: encoder.geometry(layer) for layer in layers}
        self._step = max((geometry.stride for geometry in self._geometry.values()), default=1)
        self._band = self._seen = (0, 0)
        self._has_last_row = False
        self._heights: dict[str, int] = {}
        self._image: Tensor | None = None

    @torch.no_grad()
    def forward(self, image: Tensor) -> Iterator[LayerRows]:
        """The rows of all layers that this worker has, without a graph. Go through all of them.

        Shape:
            - image: (batch, 3, height, width); all of it
        """
        self._image = image.detach()
        self._heights = self._all_heights(image)
        self._band, self._seen = self._rows(image.shape[2])
        self._has_last_row = self._band[1] == image.shape[2]
        if self._band[0] < self._band[1]:
            parts = self._strips.forward(image[:, :, slice(*self._seen)])
            yield from (own for own in map(self._own, parts) if own is not None)

    def backward(self, loss: Callable[[LayerRows], Tensor | None]) -> Tensor:
        """The gradient of a sum over the rows of this worker; see :meth:`StripPass.backward`."""
        if self._image is None:
            raise RuntimeError("`backward` needs a pass of its own: call `forward` and go through its rows.")

        def own_loss(part: LayerRows) -> Tensor | None:
            own = self._own(part)
            return None if own is None else loss(own)

        gradient, self._image = torch.zeros_like(self._image), None
        if self._band[0] < self._band[1]:
            gradient[:, :, slice(*self._seen)] = self._strips.backward(own_loss)
        return gradient

    def _rows(self, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The rows of the image that belong to this worker, and those that these see."""
        blocks = -(-height // self._step)
        start, stop = (
            min(blocks * index // self._count * self._step, height)
            for index in (self._index, self._index + 1)
        )
        sees = [
            geometry.sees(start // geometry.stride, max(-(-stop // geometry.stride), 1))
            for geometry in self._geometry.values()
        ]
        # At least what a window of every layer needs.
        room = height - self._encoder.minimum_size(self._layers)
        first = max(min((room, *(first for first, _ in sees))), 0) // self._step * self._step
        last = height if stop == height else min(max(last for _, last in sees), height)
        return (start, stop), (first, last)

    def _own(self, part: LayerRows) -> LayerRows | None:
        """What belongs to this worker of some rows, which are counted from the first that its band sees."""
        stride, height = self._geometry[part.layer].stride, self._heights[part.layer]
        shift = self._seen[0] // stride
        band_stop = height if self._has_last_row else self._band[1] // stride
        start = max(self._band[0] // stride, part.start + shift)
        stop = min(band_stop, height, part.start + shift + part.features.shape[2])
        if start >= stop:
            return None
        rows = slice(start - shift - part.start, stop - shift - part.start)
        return LayerRows(part.layer, part.features[:, :, rows], start, height)

    def _all_heights(self, image: Tensor) -> dict[str, int]:
        # The height of a layer does not depend on the width of the image: a narrow piece is enough, which is
        # as wide as a panorama may be.
        multiple = self._encoder.multiple(self._layers)
        width = -(-self._encoder.minimum_size(self._layers) // multiple) * multiple
        width = min(width, image.shape[3])
        features = self._encoder(image[:1, :, :, :width], self._layers)
        return {layer: feature.shape[2] for layer, feature in features.items()}
