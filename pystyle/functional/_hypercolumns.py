from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from pystyle.functional._precision import at_least_float32


def hypercolumns(maps: Sequence[Tensor], positions: Tensor | None = None) -> Tensor:
    """The vectors of several maps one above the other, at all positions of the first or at some.

    Finer maps are averaged, coarser ones interpolated bilinearly. At some positions only these are
    interpolated: 1024 of a map of 256 x 256 take a sixtieth of the memory of all.

    Args:
        maps: The maps, of one batch.
        positions: Indices into the flattened first map; None for all.

    Returns:
        The vectors, in the type of the maps; the narrowest if they differ.

    Shape:
        - maps: (batch, channels, height, width) each, of any size
        - positions: (samples)
        - output: (batch, channels of all, height, width) of the first, or (batch, channels of all, samples)

    Example:
        >>> import torch
        >>> fine, coarse = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]]), torch.tensor([[[[10.0, 20.0]]]])
        >>> hypercolumns([fine, coarse])
        tensor([[[[ 1.0000,  2.0000,  3.0000,  4.0000]],
        <BLANKLINE>
                 [[10.0000, 12.5000, 17.5000, 20.0000]]]])
        >>> hypercolumns([fine, coarse], torch.tensor([1]))
        tensor([[[ 2.0000],
                 [12.5000]]])

    References:
        Hariharan et al. *Hypercolumns for object segmentation and fine-grained localization*. CVPR 2015.
    """
    size = (maps[0].shape[2], maps[0].shape[3])
    # One part in float32, the image, would make all of them as large in memory.
    lowest = min((part.dtype for part in maps), key=lambda kind: torch.finfo(kind).bits)
    parts = [part.to(lowest) for part in maps]
    if positions is None:
        return torch.cat([_resized(part, size) for part in parts], dim=1)
    return torch.cat([_sampled(part, size, positions) for part in parts], dim=1)


def _resized(part: Tensor, size: tuple[int, int]) -> Tensor:
    if part.shape[2:] == size:
        return part
    if part.shape[2] >= size[0] and part.shape[3] >= size[1]:
        return adaptive_avg_pool2d(part, size)
    return interpolate(part, size, mode="bilinear", align_corners=False)


def _sampled(part: Tensor, size: tuple[int, int], positions: Tensor) -> Tensor:
    """Some positions of the resized map."""
    if part.shape[2:] == size or (part.shape[2] >= size[0] and part.shape[3] >= size[1]):
        return _resized(part, size).flatten(2)[:, :, positions]
    values, width = part.flatten(2), part.shape[3]
    dtype = torch.promote_types(part.dtype, torch.float32)
    positions = positions.to(part.device)
    rows = _neighbors((positions // size[1]).to(dtype), size[0], part.shape[2])
    columns = _neighbors((positions % size[1]).to(dtype), size[1], width)
    corners = [
        at_least_float32(values[:, :, row * width + column]) * (down * right)
        for row, down in rows
        for column, right in columns
    ]
    return torch.stack(corners).sum(0).to(part.dtype)


def _neighbors(
    indices: Tensor, length: int, own_length: int
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Both positions between which those of an axis of another length lie, and their weights."""
    places = ((indices + 0.5) * (own_length / length) - 0.5).clamp_min(0)
    before = places.floor().long()
    after = (before + 1).clamp_max(own_length - 1)
    share = places - before
    return (before, 1 - share), (after, share)
