"""How a part of an encoder is run on strips of its input."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from pystyle.encoders._encoder import Encoder
from pystyle.encoders._wrapped import WrappedEncoder


class LayerRows(NamedTuple):
    """Some rows of a layer.

    Attributes:
        layer: The name of the layer.
        features: The rows, (batch, channels, rows, width).
        start: The index of the first of them in the whole layer.
        height: How many rows the whole layer has.

    Example:
        >>> import torch
        >>> LayerRows("relu1_1", torch.zeros(1, 64, 8, 8), start=16, height=32).share
        0.25
    """

    layer: str
    features: Tensor
    start: int
    height: int

    @property
    def share(self) -> float:
        """How many of the rows of the layer they are, from 0 to 1."""
        return self.features.shape[2] / self.height


class Strip(NamedTuple):
    """Rows `start` to `stop` of what goes into a segment: its own, and those around that these see.

    Where an image wraps, they may lie beyond its border.
    """

    start: int
    stop: int
    own_start: int
    own_stop: int
    is_last: bool


class Segment:
    """A part of an encoder that is run strip by strip.

    Args:
        encoder: The part.
        wanted: The layers of it that are wanted.
        output: The layer that the next part starts from; None for the last part.
        rows: Height of a strip without what it sees beyond its own rows.
    """

    def __init__(self, encoder: Encoder, wanted: tuple[str, ...], output: str | None, *, rows: int) -> None:
        self.wraps = isinstance(encoder, WrappedEncoder) and encoder.wrap == "both"
        self.encoder = encoder.of_strips if isinstance(encoder, WrappedEncoder) else encoder
        self.wanted = wanted
        self.output = output
        self.layers = tuple(dict.fromkeys((*wanted, output) if output else wanted))
        self._geometry = {layer: encoder.geometry(layer) for layer in self.layers}
        # Strips begin where the windows of every layer begin.
        self._step = max(geometry.stride for geometry in self._geometry.values())
        self._rows = -(-rows // self._step) * self._step
        # In a lower one no window of some layer fits.
        smallest = max(geometry.minimum_size for geometry in self._geometry.values())
        self._lowest = max(self._rows, smallest)
        self._heights: dict[str, int] = {}

    def strips(self, height: int) -> Iterator[Strip]:
        """The strips from the bottom up: the lowest one tells how high each layer is."""
        borders = [*range(0, max(height - self._lowest, 0) + 1, self._rows), height]
        for own_start, own_stop in reversed(list(pairwise(borders))):
            seen = [
                geometry.sees(own_start // geometry.stride, max(own_stop // geometry.stride, 1))
                for geometry in self._geometry.values()
            ]
            start, stop = min(first for first, _ in seen), max(last for _, last in seen)
            is_last = own_stop == height
            if not self.wraps:
                start, stop = max(start, 0), height if is_last else min(stop, height)
            start = start // self._step * self._step
            yield Strip(start, stop, own_start, own_stop, is_last)

    def input_rows(self, x: Tensor, strip: Strip) -> Tensor:
        """The rows of a strip."""
        if not self.wraps:
            return x[:, :, strip.start : strip.stop]
        index = torch.arange(strip.start, strip.stop, device=x.device) % x.shape[2]
        return x.index_select(2, index)

    def add_rows(self, total: Tensor, strip: Strip, change: Tensor) -> None:
        """Add what belongs to the rows of a strip to all of what goes in."""
        if not self.wraps:
            total[:, :, strip.start : strip.stop] += change
            return
        index = torch.arange(strip.start, strip.stop, device=total.device) % total.shape[2]
        total.index_add_(2, index, change)

    def run(self, rows: Tensor, strip: Strip) -> dict[str, LayerRows]:
        """The own rows of all layers that this strip has some of."""
        found = {}
        for layer, features in self.encoder(rows, self.layers).items():
            stride = self._geometry[layer].stride
            before = strip.start // stride
            if strip.is_last:
                whole = strip.own_stop // stride
                self._heights[layer] = whole if self.wraps else before + features.shape[2]
            height = self._heights[layer]
            start = strip.own_start // stride
            stop = height if strip.is_last else min(strip.own_stop // stride, height)
            if start < stop:
                found[layer] = LayerRows(layer, features[:, :, start - before : stop - before], start, height)
        return found
