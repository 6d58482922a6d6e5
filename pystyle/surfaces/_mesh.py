from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from pystyle._arguments import check_image, check_range

MOST_FACES = 2_000_000
"""More take gigabytes in a view, and minutes; such meshes are scans, which are made coarser first."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in space, the places of their corners in a texture, and the texture: their colour.

    Args:
        vertices: The corners. The second axis points upwards, as in glTF.
        faces: The indices of the three corners of each triangle.
        uvs: Where each corner lies in the texture: (0, 0) is the lower left corner of the picture, (1, 1) the
            upper right one. The texture is repeated beyond. A corner that lies at two places of the texture,
            at a seam, is there twice.
        texture: The base colour.

    Attributes:
        center: The middle of the box around all corners, (3,).
        radius: The distance of the corner that is farthest from it.

    Raises:
        TypeError: If the corners are not floating, the faces no whole numbers, or the texture is no image.
        ValueError: If a shape is wrong, a number is not finite, a face has a corner that is not there, or all
            triangles have the area zero, in space or in the texture; or if there are more than two million.

    Shape:
        - vertices: (vertices, 3), any unit
        - faces: (faces, 3)
        - uvs: (vertices, 2), in textures
        - texture: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
        >>> faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
        >>> Mesh(corners, faces, corners[:, :2], torch.rand(1, 3, 8, 8))
        Mesh(4 vertices, 2 faces, a texture of 8 x 8 pixels)
    """

    vertices: Tensor
    faces: Tensor
    uvs: Tensor
    texture: Tensor

    def __post_init__(self) -> None:
        _check_numbers(self.vertices, 3, "`vertices`")
        _check_numbers(self.uvs, 2, "`uvs`")
        if len(self.uvs) != len(self.vertices):
            raise ValueError(
                f"`uvs` must have a place in the texture for each of {len(self.vertices)} vertices, got "
                f"{len(self.uvs)}. A vertex at a seam of the texture is there twice."
            )
        _check_faces(self.faces, len(self.vertices))
        check_image(self.texture, "`texture`")
        check_range(self.texture, "`texture`")
        if len(self.texture) != 1:
            raise ValueError(f"`texture` must be a single image, got a batch of {len(self.texture)}.")
        for name, corners in (("vertices", self.vertices), ("uvs", self.uvs)):
            if not bool((_areas(corners.double()[self.faces]) > 0).any()):
                raise ValueError(
                    f"`{name}` must span an area, got triangles that are all points or lines. "
                    + ("Unwrap the mesh in a modelling program." if name == "uvs" else "The mesh is empty.")
                )

    @property
    def center(self) -> Tensor:
        """The middle of the box around all corners, (3,)."""
        used = self._used()
        return (used.amin(0) + used.amax(0)) / 2

    @property
    def radius(self) -> float:
        """The distance of the farthest corner from the middle."""
        return float((self._used() - self.center).norm(dim=1).max())

    def with_texture(self, texture: Tensor) -> Self:
        """The same mesh with another texture.

        Shape:
            - texture: (1, 3, height, width), RGB in [0, 1]
        """
        return replace(self, texture=texture)

    def _used(self) -> Tensor:
        # A corner of no triangle is nowhere to be seen.
        return self.vertices[torch.unique(self.faces)].double()

    def __repr__(self) -> str:
        """The numbers of its parts."""
        height, width = self.texture.shape[2:]
        return (
            f"Mesh({len(self.vertices)} vertices, {len(self.faces)} faces, "
            f"a texture of {height} x {width} pixels)"
        )


def _check_numbers(value: Any, columns: int, label: str) -> None:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{label} must be a floating-point tensor, got {kind}. Write `torch.tensor(...)`.")
    if value.ndim != 2 or value.shape[1] != columns or not len(value):
        raise ValueError(
            f"{label} must have the shape (vertices, {columns}), got {tuple(value.shape)}. "
            "Each row is a vertex."
        )
    if not bool(value.isfinite().all()):
        raise ValueError(f"{label} must be finite, got NaN or infinite values. The file may be damaged.")


def _check_faces(faces: Any, num_vertices: int) -> None:
    if not isinstance(faces, Tensor) or faces.dtype != torch.int64:
        kind = faces.dtype if isinstance(faces, Tensor) else type(faces).__name__
        raise TypeError(f"`faces` must be a tensor of int64, got {kind}. Write `faces.long()`.")
    if faces.ndim != 2 or faces.shape[1] != 3 or not len(faces):
        raise ValueError(
            f"`faces` must have the shape (faces, 3), got {tuple(faces.shape)}. Each row is a triangle."
        )
    if len(faces) > MOST_FACES:
        raise ValueError(
            f"`faces` must be at most {MOST_FACES:,} triangles, got {len(faces):,}. Simplify the mesh first."
        )
    if int(faces.min()) < 0 or int(faces.max()) >= num_vertices:
        raise ValueError(
            f"`faces` must be indices of {num_vertices} vertices, from 0 on, got {int(faces.min())} to "
            f"{int(faces.max())}. Formats that count from 1 need 1 subtracted."
        )


def _areas(corners: Tensor) -> Tensor:
    """Twice the areas of triangles, (faces, 3, 2 or 3)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    if corners.shape[2] == 3:
        area: Tensor = torch.linalg.cross(first, second).norm(dim=1)
        return area
    flat: Tensor = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return flat.abs()
