from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle._arguments import is_number, number, pixel_size, whole_number
from pystyle.images._pil import check_background
from pystyle.surfaces._camera import Camera
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._rasterize import rasterize
from pystyle.surfaces._sampling import TextureSampler

WHITE = (1.0, 1.0, 1.0)


@torch.no_grad()
def render(
    mesh: Mesh,
    camera: Camera = Camera(),
    size: int | tuple[int, int] = 256,
    *,
    background: Sequence[float] = WHITE,
    shading: float = 0.0,
    samples: int = 2,
) -> Tensor:
    """A picture of a mesh.

    Args:
        mesh: The mesh.
        camera: From where it is seen.
        size: Height and width in pixels; one number for both.
        background: Colour, RGB in [0, 1].
        shading: How much darker the surface is where it is seen from the side, from 0 (the colours of the
            texture as they are) to 1 (black), as with a light at the camera.
        samples: How many samples a pixel has along each side.

    Returns:
        The picture, on the CPU.

    Raises:
        ValueError: If an argument is out of its range.

    Shape:
        - output: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> from pystyle.surfaces import Camera, torus
        >>> render(torus(16), Camera(elevation=45), 32).shape
        torch.Size([1, 3, 32, 32])
    """
    check_background(background)
    shading = number(shading, "`shading`", least=0, most=1)
    texture = mesh.texture.cpu().float()
    fragments = rasterize(mesh, camera, size, samples=samples)
    sampler = TextureSampler(fragments, (texture.shape[2], texture.shape[3]), texture)
    picture = sampler(texture)
    if shading:
        # The colours of a pixel times the mean light in it.
        picture = picture * (1 - shading * (1 - sampler.facing / sampler.coverage.clamp_min(1e-6)))
    ground = torch.tensor(tuple(background), dtype=texture.dtype, device="cpu").view(1, 3, 1, 1)
    return (picture + (1 - sampler.coverage) * ground).clamp(0, 1)


def turntable(
    mesh: Mesh,
    num_views: int = 8,
    size: int | tuple[int, int] = 256,
    *,
    elevation: float = 15.0,
    background: Sequence[float] = WHITE,
    shading: float = 0.3,
) -> list[Tensor]:
    """Pictures of a mesh that turns once, at equal angles.

    Args:
        mesh: The mesh.
        num_views: How many.
        size: Height and width in pixels; one number for both.
        elevation: Of the camera, in degrees.
        background: Colour, RGB in [0, 1].
        shading: Of :func:`render`.

    Returns:
        The pictures, for :func:`~pystyle.images.contact_sheet` or :func:`~pystyle.video.write_clip`. In the
        first the mesh is seen from the front, then from its right.

    Raises:
        ValueError: If an argument is out of its range.

    Shape:
        - output: each (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> from pystyle.surfaces import sphere
        >>> len(turntable(sphere(16), 4, 16))
        4
    """
    num_views = whole_number(num_views, "`num_views`", least=1)
    size = pixel_size((size, size) if is_number(size) else size, "`size`")
    return [
        render(
            mesh,
            Camera(360 * index / num_views, elevation),
            size,
            background=background,
            shading=shading,
        )
        for index in range(num_views)
    ]
