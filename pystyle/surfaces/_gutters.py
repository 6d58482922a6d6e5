import itertools

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate, max_pool2d, pad

from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._triangles import nearest_triangles

_MOST = 16
"""How many textures a triangle may run over, each way, to be drawn in each: that is up to 256 times."""


def used_texels(mesh: Mesh) -> Tensor:
    """Which texels of the texture a mesh shows: those in its triangles, and their neighbours.

    A triangle over very many textures counts as one that shows all of it.

    Shape:
        - output: (1, 1, height, width), boolean
    """
    height, width = mesh.texture.shape[2:]
    places = mesh.uvs.double().cpu()[mesh.faces.cpu()]
    # A triangle lies anywhere in the repeated texture: once where it is, and over the edge on the other side.
    places = places - places.amin(1, keepdim=True).floor()
    texels = torch.tensor([width, height], dtype=torch.float64, device="cpu")
    corners = torch.stack([places[..., 0], -places[..., 1]], -1) * texels
    ends = places.amax(1)
    columns, rows = ends.amax(0).ceil().long().tolist()
    used = torch.full((height, width), max(columns, rows) > _MOST, device="cpu")
    for right, up in itertools.product(range(columns), range(rows)):
        if bool(used.all()):
            break
        there = (ends > ends.new_tensor([right, up])).all(1)
        shift = corners.new_tensor([-right * width, (up + 1) * height])
        found = nearest_triangles(
            corners[there] + shift, torch.ones_like(places[there, :, 0]), (height, width)
        )
        used |= found >= 0
    around = pad(used[None, None].float(), (1, 1, 1, 1), mode="circular")
    return max_pool2d(around, 3, stride=1) > 0


def filled_gutters(mesh: Mesh) -> Tensor:
    """The texture, in which texels that no triangle shows have the colours of those around them.

    Viewers look at smaller versions of a texture, into which these colours come at the seams.
    """
    used = used_texels(mesh).to(mesh.texture)
    if bool((used == 1).all()):
        return mesh.texture
    return torch.where(used > 0, mesh.texture, _spread(mesh.texture * used, used))


def _spread(colours: Tensor, weights: Tensor) -> Tensor:
    """The colours, and where there are none those of a version of half the size."""
    height, width = colours.shape[2:]
    known = colours / weights.clamp_min(1e-6)
    if height * width == 1 or bool((weights > 0).all()):
        return known
    half = (-(-height // 2), -(-width // 2))
    coarse = _spread(adaptive_avg_pool2d(colours, half), adaptive_avg_pool2d(weights, half))
    enlarged = interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return torch.where(weights > 0, known, enlarged)
