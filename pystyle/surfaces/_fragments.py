from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Fragments:
    """What is seen at each sample of a view: where it lies in the texture, and how the surface lies.

    Attributes:
        uv: The place in the texture; 0 where nothing is.
        uv_x: How the place changes from a sample to the one on its right, on the same triangle.
        uv_y: How it changes to the one below.
        mask: Whether there is something.
        normals: What stands upright on the triangle, of length 1, towards the camera: to the right, upwards,
            towards the camera.
        facing: The cosine of the angle at which the surface is seen: 1 from the front, 0 from the side.
        depth: The distance along the direction that the camera looks in, in units of the mesh; infinite where
            nothing is.
        faces: The index of the triangle; -1 where none is.
        samples: How many samples a pixel has along each side.

    Shape:
        - uv, uv_x, uv_y: (rows, columns, 2), `samples` of them for each pixel
        - normals: (rows, columns, 3)
        - mask, facing, depth, faces: (rows, columns)

    Example:
        >>> from pystyle.surfaces import Camera, rasterize, sphere
        >>> fragments = rasterize(sphere(16), Camera(), (24, 32), samples=1)
        >>> fragments.uv.shape, bool(fragments.mask[12, 16]), bool(fragments.mask[0, 0])
        (torch.Size([24, 32, 2]), True, False)
    """

    uv: Tensor
    uv_x: Tensor
    uv_y: Tensor
    mask: Tensor
    normals: Tensor
    facing: Tensor
    depth: Tensor
    faces: Tensor
    samples: int
