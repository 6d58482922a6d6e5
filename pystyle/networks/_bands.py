"""Large maps band by band, where nothing looks at a whole map."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil

import torch
from torch import Tensor

_NUMBERS = 2**22
"""How many numbers come in with a band, about, if there are as many channels as these."""
_CHANNELS = 32


def in_bands(
    function: Callable[[Tensor], Tensor], features: Tensor, *, halo: int, scale: Fraction, multiple: int = 2
) -> Tensor:
    """What a function makes of features, in bands of rows if no gradient is wanted: the same in less memory.

    Args:
        function: The function: convolutions, and what is done at each position.
        features: What it is applied to.
        halo: How many rows above and below a row it looks at.
        scale: How many rows it gives for one.
        multiple: What the rows of a band and of the halo are a multiple of, so that strides meet.

    Shape:
        - features: (batch, channels, height, width)
        - output: (batch, other channels, scale height, scale width)
    """
    channels, height, width = features.shape[1:]
    rows = max(_NUMBERS // (max(channels, _CHANNELS) * width) // multiple, 1) * multiple
    if torch.is_grad_enabled() or rows >= height:
        return function(features)
    halo = -(-halo // multiple) * multiple
    output: Tensor | None = None
    for start in range(0, height, rows):
        stop, top = min(start + rows, height), max(start - halo, 0)
        band = function(features[:, :, top : min(stop + halo, height)])
        first, begin, end = int((start - top) * scale), int(start * scale), ceil(stop * scale)
        if output is None:
            shape = (*band.shape[:2], ceil(height * scale), band.shape[3])
            output = torch.empty(shape, dtype=band.dtype, device=band.device, memory_format=_order(band))
        output[:, :, begin:end] = band[:, :, first : first + end - begin]
    return features if output is None else output


def _order(features: Tensor) -> torch.memory_format:
    last = features.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
