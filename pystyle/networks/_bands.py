"""Large maps band by band, where nothing looks at a whole map."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil

import torch
from torch import Tensor

_NUMBERS = 2**22
"""How many numbers of the first map come in with a band, about, if it has as many channels as these."""
_CHANNELS = 32


def in_bands(
    function: Callable[..., Tensor],
    first: Tensor,
    *others: Tensor,
    halo: int,
    scale: Fraction,
    multiple: int = 2,
) -> Tensor:
    """What a function makes of maps, in bands of rows if no gradient is wanted: the same in less memory.

    Args:
        function: The function: convolutions, and what is done at each position.
        first: What it is applied to.
        others: Further maps that it takes, each as large as the first or a whole number of times as large.
        halo: How many rows of the first map it looks at above and below a row.
        scale: How many rows it gives for one of the first map.
        multiple: What the rows of a band and of the halo are a multiple of, so that strides meet.

    Shape:
        - first: (batch, channels, height, width)
        - others: (batch, channels, n height, n width)
        - output: (batch, other channels, scale height, scale width)
    """
    channels, height, width = first.shape[1:]
    rows = max(_NUMBERS // (max(channels, _CHANNELS) * width) // multiple, 1) * multiple
    if torch.is_grad_enabled() or rows >= height:
        return function(first, *others)
    halo = -(-halo // multiple) * multiple
    output: Tensor | None = None
    for start in range(0, height, rows):
        stop, top, bottom = min(start + rows, height), max(start - halo, 0), min(start + rows + halo, height)
        band = function(*(_rows(features, top, bottom, height) for features in (first, *others)))
        skipped, begin, end = int((start - top) * scale), int(start * scale), ceil(stop * scale)
        if output is None:
            shape = (*band.shape[:2], ceil(height * scale), band.shape[3])
            output = torch.empty(shape, dtype=band.dtype, device=band.device, memory_format=_order(band))
        output[:, :, begin:end] = band[:, :, skipped : skipped + end - begin]
    return first if output is None else output


def _rows(features: Tensor, top: int, bottom: int, height: int) -> Tensor:
    """The rows of a map that lie at these of another, which has this height."""
    times = features.shape[2] // height
    return features[:, :, times * top : times * bottom]


def _order(features: Tensor) -> torch.memory_format:
    last = features.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
