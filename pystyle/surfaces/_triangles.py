"""Which triangle is seen at each sample of a plane. It knows neither cameras nor meshes."""

from collections.abc import Iterator

import torch
from torch import Tensor

_AT_ONCE = 2**21
"""Samples of boxes around triangles that are looked at at a time: about 300 MB."""
_EDGE = 1e-9
"""Barycentric: what lies on an edge belongs to both triangles, whatever rounding makes of it."""


def nearest_triangles(corners: Tensor, nearness: Tensor, size: tuple[int, int]) -> Tensor:
    """The triangle that is nearest at each sample.

    The middle of the first sample is (0.5, 0.5). A sample on an edge belongs to both triangles, so that there
    are no gaps between them; of two that are equally near the first is taken.

    Args:
        corners: Where the corners are, in samples from the upper left corner.
        nearness: Of each corner, positive, affine over each triangle: one divided by the depth.
        size: Rows and columns.

    Returns:
        The indices of the triangles; -1 where there is none.

    Shape:
        - corners: (faces, 3, 2), in float64
        - nearness: (faces, 3)
        - output: (rows, columns)
    """
    height, width = size
    nearest = torch.zeros(height * width, dtype=corners.dtype, device=corners.device)
    none = len(corners)
    found = torch.full((height * width,), none, dtype=torch.int64, device=corners.device)
    for faces, x, y in _candidates(corners, size):
        weights = barycentric(corners[faces], x + 0.5, y + 0.5)
        inside = (weights >= -_EDGE).all(1)
        faces, place = faces[inside], (y * width + x)[inside]
        near = (weights[inside] * nearness[faces]).sum(1)
        before = nearest[place]
        nearest.scatter_reduce_(0, place, near, "amax")
        # What was found before lies behind.
        found[place[nearest[place] > before]] = none
        wins = near == nearest[place]
        found.scatter_reduce_(0, place[wins], faces[wins], "amin")
    return torch.where(found == none, -1, found).view(height, width)


def barycentric(corners: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The shares of the three corners in points of a plane, which sum to one.

    Shape:
        - corners: (points, 3, 2), one triangle for each point
        - x, y: (points,)
        - output: (points, 3)
    """
    (x0, y0), (x1, y1), (x2, y2) = (corner.unbind(1) for corner in corners.unbind(1))
    right, up, x, y = x2 - x0, y2 - y0, x - x0, y - y0
    area = (x1 - x0) * up - right * (y1 - y0)
    second = (x * up - right * y) / area
    third = ((x1 - x0) * y - x * (y1 - y0)) / area
    return torch.stack([1 - second - third, second, third], 1)


def _candidates(corners: Tensor, size: tuple[int, int]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Triangles, columns and rows of all samples in the boxes around the triangles, some at a time."""
    edges = corners[:, 1:] - corners[:, :1]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    bounds = torch.tensor([size[1], size[0]], dtype=corners.dtype, device=corners.device)
    # An edge apart, so that rounding cannot leave out a sample that is on it.
    low = (corners.amin(1) - 0.5 - 1e-6).ceil().clamp_min(0)
    high = torch.minimum((corners.amax(1) - 0.5 + 1e-6).floor(), bounds - 1)
    spans = (high - low + 1).clamp_min(0).long()
    counts = torch.where(area.abs() > 1e-12, spans[:, 0] * spans[:, 1], 0)
    alive = counts.nonzero().squeeze(1)
    ends = counts[alive].cumsum(0)
    start = 0
    while start < len(alive):
        done = int(ends[start - 1]) if start else 0
        stop = max(int(torch.searchsorted(ends, done + _AT_ONCE, right=True)), start + 1)
        some = alive[start:stop]
        faces = some.repeat_interleave(counts[some])
        firsts = (ends[start:stop] - counts[some] - done).repeat_interleave(counts[some])
        offsets = torch.arange(len(faces), device=faces.device) - firsts
        columns = spans[faces, 0]
        yield faces, low[faces, 0].long() + offsets % columns, low[faces, 1].long() + offsets // columns
        start = stop
