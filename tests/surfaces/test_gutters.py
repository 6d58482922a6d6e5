"""Which texels a mesh shows, where its triangles run over several textures."""

import pytest
import torch

from pystyle.surfaces import Mesh
from pystyle.surfaces._gutters import used_texels


def strip(parts, length, height=0.05, rise=0.1):
    """A band of quads over a texture that is repeated, and rises by a tenth of one on each."""
    along = torch.linspace(0, length, parts + 1)
    low = torch.stack([along, along * rise], 1)
    uvs = torch.cat([low, low + torch.tensor([0.0, height])])
    first = torch.arange(parts)
    faces = torch.cat(
        [
            torch.stack([first, first + 1, first + parts + 2], 1),
            torch.stack([first, first + parts + 2, first + parts + 1], 1),
        ]
    )
    return Mesh(torch.cat([uvs, torch.zeros(len(uvs), 1)], 1), faces, uvs, torch.zeros(1, 3, 64, 64))


def test_a_triangle_shows_what_its_parts_show_on_each_texture_it_runs_over():
    whole, parts = used_texels(strip(1, 10)), used_texels(strip(10, 10))
    assert torch.equal(whole, parts)
    assert 0.5 < float(whole.float().mean()) < 1


@pytest.mark.parametrize("axis", [0, 1])
def test_a_triangle_over_very_many_textures_counts_as_one_that_shows_all(axis):
    thin = strip(1, 1000, rise=0.0)
    uvs = thin.uvs if axis == 0 else thin.uvs.flip(1)
    assert used_texels(Mesh(thin.vertices, thin.faces, uvs, thin.texture)).all()
