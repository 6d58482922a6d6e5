"""Several views side by side, as one picture."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pystyle.surfaces._camera import Camera
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._rasterize import rasterize
from pystyle.surfaces._sampling import TextureSampler
from pystyle.surfaces._views import Views

_SAMPLES = 2
_MARGIN = 1.06


@dataclass(frozen=True, eq=False)
class Sheet:
    """The views of one step.

    Attributes:
        samplers: What is seen in each.
        facing: The mean cosine at which the surface is seen, (1, 1, height, width of all views).
        coverage: How much of each pixel the surface covers, of the same shape.
    """

    samplers: tuple[TextureSampler, ...]
    facing: Tensor
    coverage: Tensor

    def picture(self, texture: Tensor, background: Tensor) -> Tensor:
        """All views of a texture, from left to right."""
        return torch.cat([sampler.on(texture, background) for sampler in self.samplers], 3)


def sheets_of(mesh: Mesh, views: Views, height: int, texture: Tensor) -> list[Sheet]:
    """The sheets of a mesh, whose views have this height and are as wide as the widest of them.

    Args:
        mesh: The mesh.
        views: From where it is seen.
        height: In pixels.
        texture: A texture of the size, the type and on the device of those that will be seen.
    """
    cameras = views.cameras()
    width = max(_width(mesh, camera) for sheet in cameras for camera in sheet)
    size = (height, max(math.ceil(_MARGIN * width * height), 1))
    found = []
    for sheet in cameras:
        samplers = tuple(
            TextureSampler(
                rasterize(mesh, camera, size, samples=_SAMPLES), (texture.shape[2], texture.shape[3]), texture
            )
            for camera in sheet
        )
        facing = torch.cat([sampler.facing for sampler in samplers], 3).clamp(0, 1)
        coverage = torch.cat([sampler.coverage for sampler in samplers], 3).clamp(0, 1)
        found.append(Sheet(samplers, facing, coverage))
    return found


def _width(mesh: Mesh, camera: Camera) -> float:
    """How wide the mesh is, in heights of the picture; twice what is farthest from its middle."""
    corners = mesh.vertices[torch.unique(mesh.faces)].double().cpu()
    seen = (corners - mesh.center.cpu()) @ camera.axes.T
    depth = camera.radii * mesh.radius - seen[:, 2]
    return 2 * camera.focal_length * float((seen[:, 0] / depth).abs().max())
