import torch
from torch import Tensor

from pystyle._arguments import is_number, pixel_size, whole_number
from pystyle.surfaces._camera import Camera
from pystyle.surfaces._fragments import Fragments
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._triangles import barycentric, nearest_triangles


@torch.no_grad()
def rasterize(mesh: Mesh, camera: Camera, size: int | tuple[int, int], *, samples: int = 2) -> Fragments:
    """What a camera sees of a mesh.

    Corners are projected in float64, the nearest triangle is found at each sample, and places in the texture
    are interpolated in perspective. Both sides of a triangle are seen. There is no gradient: only the colours
    of the texture are ever optimised.

    Args:
        mesh: The mesh.
        camera: From where it is seen.
        size: Height and width in pixels; one number for both. The width does not change the scale.
        samples: How many samples a pixel has along each side. Several smooth the edges of the picture.

    Returns:
        What is seen, on the CPU, in float32.

    Raises:
        ValueError: If a size is not positive.

    Example:
        >>> from pystyle.surfaces import Camera, sphere
        >>> fragments = rasterize(sphere(32), Camera(), 24)
        >>> round(float(fragments.facing[23:25, 23:25].min()), 1)
        1.0
    """
    size = pixel_size((size, size) if is_number(size) else size, "`size`")
    samples = whole_number(samples, "`samples`", least=1, most=16)
    rows, columns = size[0] * samples, size[1] * samples
    seen = _camera_space(mesh, camera)
    depth = -seen[:, 2]
    scale = camera.focal_length * rows
    screen = torch.stack([columns / 2 + scale * seen[:, 0] / depth, rows / 2 - scale * seen[:, 1] / depth], 1)
    nearness = 1 / depth
    triangles = mesh.faces.cpu()
    faces = nearest_triangles(screen[triangles], nearness[triangles], (rows, columns))
    y, x = (faces >= 0).nonzero(as_tuple=True)
    corners = triangles[faces[y, x]]

    def at(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Place in the texture and nearness, on the same triangles, which go on beyond their edges."""
        weights = barycentric(screen[corners], x + 0.5, y + 0.5) * nearness[corners]
        near = weights.sum(1)
        uvs = mesh.uvs.double().cpu()[corners]
        return (weights[..., None] * uvs).sum(1) / near[:, None], near

    uv, near = at(x, y)
    normals = _normals(seen[corners])
    facing = _facing(normals, x, y, (rows, columns), scale)
    normals = normals * facing.sign()[:, None]

    def spread(values: Tensor, empty: float = 0.0) -> Tensor:
        grid = values.new_full((rows, columns, *values.shape[1:]), empty, dtype=torch.float32)
        grid[y, x] = values.float()
        return grid

    return Fragments(
        uv=spread(uv),
        uv_x=spread(at(x + 1, y)[0] - uv),
        uv_y=spread(at(x, y + 1)[0] - uv),
        mask=faces >= 0,
        normals=spread(normals),
        facing=spread(facing.abs()),
        depth=spread(1 / near, float("inf")),
        faces=faces,
        samples=samples,
    )


def _camera_space(mesh: Mesh, camera: Camera) -> Tensor:
    """The corners as seen from the camera, which looks against the third axis."""
    axes = camera.axes
    seen = (mesh.vertices.double().cpu() - mesh.center.cpu()) @ axes.T
    seen[:, 2] -= camera.radii * mesh.radius
    return seen


def _normals(corners: Tensor) -> Tensor:
    upright = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    unit: Tensor = upright / upright.norm(dim=1, keepdim=True).clamp_min(1e-300)
    return unit


def _facing(normals: Tensor, x: Tensor, y: Tensor, size: tuple[int, int], scale: float) -> Tensor:
    """The cosine between the normals and the rays to the camera; negative seen from behind."""
    right, up = x + 0.5 - size[1] / 2, size[0] / 2 - y - 0.5
    rays = torch.stack([-right / scale, -up / scale, torch.ones_like(right)], 1)
    cosine: Tensor = (normals * rays).sum(1) / rays.norm(dim=1)
    return cosine
