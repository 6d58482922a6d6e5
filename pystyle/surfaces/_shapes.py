"""Meshes made of formulas, for examples and tests."""

import math

import torch
from torch import Tensor

from pystyle._arguments import number, whole_number
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._pattern import pattern

_VASE = (
    (0.00, 0.00), (0.20, 0.00), (0.27, 0.02), (0.26, 0.06), (0.30, 0.16), (0.42, 0.34), (0.50, 0.54),
    (0.49, 0.70), (0.39, 0.88), (0.26, 1.02), (0.20, 1.14), (0.21, 1.24), (0.29, 1.32), (0.28, 1.34),
    (0.25, 1.33), (0.17, 1.24), (0.16, 1.14), (0.10, 1.08), (0.00, 1.07),
)  # fmt: skip
"""Radius and height of the outline, from the foot over the rim into the neck, which is closed."""


def sphere(segments: int = 48, *, texture: Tensor | None = None) -> Mesh:
    """A sphere of radius 1, whose texture is a map of longitude and latitude.

    Args:
        segments: Triangles around it; half as many from pole to pole.
        texture: Its colours; a pattern if not given.

    Returns:
        A mesh whose texture meets itself at a seam from pole to pole.

    Raises:
        ValueError: If there are fewer than 8 segments, or the texture is no image.

    Shape:
        - texture: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> sphere(8)
        Mesh(45 vertices, 48 faces, a texture of 256 x 512 pixels)
    """
    segments = whole_number(segments, "`segments`", least=8)
    angles = torch.linspace(-math.pi / 2, math.pi / 2, segments // 2 + 1, dtype=torch.float64, device="cpu")
    profile = torch.stack([angles.cos(), angles.sin()], 1)
    profile[[0, -1], 0] = 0.0
    return _revolved(profile, segments, pattern(256, 512) if texture is None else texture)


def vase(segments: int = 64, *, texture: Tensor | None = None) -> Mesh:
    """A vase of revolution with a foot, a belly, a neck and a rim.

    Args:
        segments: Triangles around it; as many from the foot over the rim into the neck.
        texture: Its colours, from the foot to the rim; a pattern if not given.

    Returns:
        A closed mesh whose texture meets itself at a seam from the foot into the neck.

    Raises:
        ValueError: If there are fewer than 8 segments, or the texture is no image.

    Shape:
        - texture: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> vase(8)
        Mesh(81 vertices, 112 faces, a texture of 512 x 512 pixels)
    """
    segments = whole_number(segments, "`segments`", least=8)
    profile = _smoothed(torch.tensor(_VASE, dtype=torch.float64, device="cpu"), segments + 1)
    return _revolved(profile, segments, pattern(512, 512) if texture is None else texture)


def torus(segments: int = 48, *, thickness: float = 0.4, texture: Tensor | None = None) -> Mesh:
    """A ring that lies flat, of radius 1 from its middle to the middle of the tube.

    Args:
        segments: Triangles around it; half as many around the tube.
        thickness: The radius of the tube.
        texture: Its colours, the first axis around the tube; a pattern if not given.

    Returns:
        A mesh whose texture meets itself in both directions.

    Raises:
        ValueError: If there are fewer than 8 segments, `thickness` is not in (0, 1), or the texture is no
            image.

    Shape:
        - texture: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> torus(8)
        Mesh(45 vertices, 64 faces, a texture of 256 x 512 pixels)
    """
    segments = whole_number(segments, "`segments`", least=8)
    thickness = number(thickness, "`thickness`", above=0, below=1)
    angles = torch.linspace(-math.pi, math.pi, segments // 2 + 1, dtype=torch.float64, device="cpu")
    profile = torch.stack([1 + thickness * angles.cos(), thickness * angles.sin()], 1)
    profile[-1] = profile[0]
    return _revolved(profile, segments, pattern(256, 512) if texture is None else texture)


def _revolved(profile: Tensor, segments: int, texture: Tensor) -> Mesh:
    """The surface of an outline (radius, height) that is turned around the vertical axis.

    The texture has the angle as its first axis and the length along the outline as its second.
    """
    turns = torch.linspace(0, 1, segments + 1, dtype=torch.float64, device="cpu")
    angles = 2 * math.pi * turns
    angles[-1] = 0.0
    radius, height = profile.unbind(1)
    lengths = (profile[1:] - profile[:-1]).norm(dim=1).cumsum(0)
    lengths = torch.cat([lengths.new_zeros(1), lengths]) / lengths[-1]
    vertices = torch.stack(
        [
            radius[:, None] * angles.sin(),
            height[:, None].expand(-1, segments + 1),
            radius[:, None] * angles.cos(),
        ],
        -1,
    )
    uvs = torch.stack([turns.expand(len(lengths), -1), lengths[:, None].expand(-1, len(turns))], -1)
    faces = _grid_faces(radius, segments)
    return Mesh(vertices.flatten(0, 1).float(), faces, uvs.flatten(0, 1).float(), texture)


def _grid_faces(radius: Tensor, segments: int) -> Tensor:
    """Two triangles for each cell of a grid; at a pole, where the radius is 0, one."""
    sides = (torch.arange(count, device="cpu") for count in (len(radius) - 1, segments))
    row, column = torch.meshgrid(*sides, indexing="ij")
    lower = (row * (segments + 1) + column).flatten()
    upper = lower + segments + 1
    first = torch.stack([lower, lower + 1, upper + 1], 1)[(radius[row.flatten()] > 0)]
    second = torch.stack([lower, upper + 1, upper], 1)[(radius[row.flatten() + 1] > 0)]
    return torch.cat([first, second])


def _smoothed(points: Tensor, count: int) -> Tensor:
    """So many points on a smooth curve through the given ones, at equal steps of their index."""
    places = torch.linspace(0, len(points) - 1, count, dtype=points.dtype, device=points.device)
    index = places.floor().long().clamp_max(len(points) - 2)
    t = (places - index)[:, None]
    before, after = (index - 1).clamp_min(0), (index + 2).clamp_max(len(points) - 1)
    a, b, c, d = points[before], points[index], points[index + 1], points[after]
    # The curve of Catmull and Rom.
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    curve[:, 0].clamp_min_(0.0)
    curve[0], curve[-1] = points[0], points[-1]
    return curve
