"""Large maps band by band, where nothing looks at a whole map."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pystyle._wrapping import active_wrap

_NUMBERS = 2**22
_CHANNELS = 32
"""Maps of fewer channels come in as if they had so many: those that are made of them have more."""


class Band(NamedTuple):
    """Rows of a map, and those around them that are looked at."""

    start: int
    stop: int
    top: int
    bottom: int

    def of(self, features: Tensor, up: int = 1, down: int = 1) -> Tensor:
        """The band of maps that have `up` rows for `down` of the map, with those around it."""
        return features[:, :, self.top * up // down : _ceil_div(self.bottom * up, down)]

    def own(self, features: Tensor, up: int = 1, down: int = 1) -> Tensor:
        """The rows of the band alone, of what was computed from it with those around it."""
        skipped = (self.start - self.top) * up // down
        return features[:, :, skipped : skipped + _ceil_div(self.stop * up, down) - self.start * up // down]


def bands(features: Tensor, *, halo: int, multiple: int = 2, numbers: int | None = None) -> Iterator[Band]:
    """The bands of a map; one for all, if a gradient is wanted, a graph is exported or rows wrap.

    Args:
        features: The map, (batch, channels, height, width).
        halo: How many rows above and below a row are looked at.
        multiple: What the rows of a band and of the halo are a multiple of, so that strides meet.
        numbers: How many numbers of the map there are in a band, about, if it has 32 channels or more;
            2^22 if not given.
    """
    numbers = _NUMBERS if numbers is None else numbers
    channels, height, width = features.shape[1:]
    # The size of a map is not known when a graph is exported, which has one band.
    # Where rows wrap, those around the first band would be the last of the map.
    if torch.is_grad_enabled() or torch.compiler.is_exporting() or active_wrap() == "both":
        yield Band(0, height, 0, height)
        return
    rows = max(numbers // (max(channels, _CHANNELS) * width) // multiple, 1) * multiple
    halo = _ceil_div(halo, multiple) * multiple
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        yield Band(start, stop, max(start - halo, 0), min(stop + halo, height))


def is_one_band(features: Tensor, *, multiple: int, numbers: int) -> bool:
    """Whether there is no need to divide a map."""
    return len(list(bands(features, halo=0, multiple=multiple, numbers=numbers))) == 1


def in_bands(
    function: Callable[..., Tensor],
    first: Tensor,
    *others: Tensor,
    halo: int,
    up: int = 1,
    down: int = 1,
    multiple: int = 2,
    numbers: int | None = None,
) -> Tensor:
    """What a function makes of maps, in bands of rows if no gradient is wanted: the same in less memory.

    Args:
        function: The function: convolutions, and what is done at each position.
        first: What it is applied to.
        others: Further maps that it takes, whose rows are a multiple or a part of those of the first.
        halo: How many rows of the first map it looks at above and below a row.
        up: How many rows it gives for `down` rows of the first map.
        down: See `up`.
        multiple: What the rows of a band and of the halo are a multiple of, so that strides meet.
        numbers: See :func:`bands`.

    Shape:
        - first: (batch, channels, height, width)
        - others: (batch, channels, n height, n width)
        - output: (batch, other channels, height * up / down, width * up / down), rounded up
    """
    height = first.shape[2]
    found = list(bands(first, halo=halo, multiple=multiple, numbers=numbers))
    if len(found) == 1:
        return function(first, *others)
    output: Tensor | None = None
    for band in found:
        part = function(*(band.of(maps, maps.shape[2], height) for maps in (first, *others)))
        if output is None:
            shape = (*part.shape[:2], _ceil_div(height * up, down), part.shape[3])
            output = torch.empty(shape, dtype=part.dtype, device=part.device, memory_format=_order(part))
        output[:, :, band.start * up // down : _ceil_div(band.stop * up, down)] = band.own(part, up, down)
    return first if output is None else output


def _ceil_div(number: int, divisor: int) -> int:
    """The quotient, rounded up. A compiled network follows whole numbers, and no fractions.

    In an exported one quotients of negative numbers are rounded towards 0.
    """
    return (number + divisor - 1) // divisor


def _order(features: Tensor) -> torch.memory_format:
    last = features.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
