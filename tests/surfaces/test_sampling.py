"""Textures looked up in views, against the formula of what was painted on them."""

import math

import numpy as np
import pytest
import torch

from pystyle.surfaces import Camera, Mesh, TextureSampler, rasterize, render, sphere, turntable

FRONT = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
CAMERA = Camera()
FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])


def quad(texture, repeats=1):
    return Mesh(FRONT, FACES, (FRONT[:, :2] + 1) / 2 * repeats, texture)


def sampler_of(mesh, camera=CAMERA, size=32, samples=1):
    fragments = rasterize(mesh, camera, size, samples=samples)
    return fragments, TextureSampler(fragments, tuple(mesh.texture.shape[2:]), mesh.texture)


def waves(height, width):
    """A texture that repeats, (1, 1, height, width), and its formula."""
    u = (torch.arange(width) + 0.5) / width
    v = 1 - (torch.arange(height) + 0.5) / height
    return formula(u[None].expand(height, width), v[:, None].expand(height, width))[None]


def formula(u, v):
    turn = 2 * math.pi
    parts = torch.sin(turn * u), torch.cos(turn * u) * torch.sin(turn * v), torch.cos(turn * v)
    return torch.stack(parts) * 0.4 + 0.5


@pytest.mark.parametrize("azimuth", [0, 90, 180, 270])
def test_colours_are_those_of_the_formula_from_all_sides_and_across_the_seam(azimuth):
    mesh = sphere(64, texture=waves(128, 256))
    fragments, sampler = sampler_of(mesh, Camera(azimuth, 10), 48)
    picture, wanted = sampler(mesh.texture)[0], formula(*fragments.uv.unbind(-1))
    clear = fragments.facing > 0.3
    assert int(clear.sum()) > 1000
    assert (picture - wanted).abs()[:, clear].max() < 0.02


def test_the_first_row_of_a_texture_is_the_upper_one():
    texture = torch.zeros(1, 3, 8, 8)
    texture[:, 0, 0], texture[:, 1, -1], texture[:, 2, :, 0] = 1, 1, 1
    picture = render(quad(texture), Camera(), 64)[0]
    rows, columns = (picture.sum(0) < 2.99).nonzero(as_tuple=True)
    top, bottom, left, right = int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())
    assert picture[0, top + 2, 32] > 0.8 > picture[1, top + 2, 32]
    assert picture[1, bottom - 2, 32] > 0.8 > picture[0, bottom - 2, 32]
    assert picture[2, 32, left + 2] > 0.8 > picture[2, 32, right - 2]


def test_a_flat_texture_is_flat_and_the_background_is_where_nothing_is():
    texture = torch.tensor([0.2, 0.5, 0.7]).view(1, 3, 1, 1).expand(1, 3, 5, 7).contiguous()
    mesh = sphere(32, texture=texture)
    _, sampler = sampler_of(mesh, samples=3)
    picture = sampler.on(texture, torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1))
    inside = sampler.coverage[0, 0] == 1
    assert torch.allclose(picture[0, :, inside], torch.tensor([0.2, 0.5, 0.7])[:, None], atol=1e-6)
    assert picture[0, :, 0, 0].tolist() == [1, 0, 0]
    edge = (sampler.coverage[0, 0] > 0) & ~inside
    share = sampler.coverage[0, 0][edge]
    assert torch.allclose(picture[0, 0][edge], 0.2 * share + 1 - share, atol=1e-6)


def test_a_fine_texture_becomes_its_mean_and_does_not_sparkle():
    y, x = torch.meshgrid(torch.arange(512), torch.arange(512), indexing="ij")
    texture = ((x + y) % 2).float().expand(1, 3, 512, 512).contiguous()
    for azimuth in (0, 3, 40):
        fragments, sampler = sampler_of(quad(texture), Camera(azimuth), 32)
        seen = sampler(texture)[0, 0][fragments.mask]
        assert (seen - 0.5).abs().max() < 0.02


def test_a_slow_turn_changes_a_picture_little():
    noise = torch.rand(1, 3, 256, 512, generator=torch.Generator().manual_seed(0))
    first, second = (render(sphere(48, texture=noise), Camera(a), 32, samples=2) for a in (0, 0.5))
    # Half a degree is a tenth of a pixel here; nearest texels would change by a third.
    assert (first - second).abs().mean() < 0.01


def test_textures_are_repeated_beyond_their_edges():
    texture = waves(64, 64)
    once, twice = (sampler_of(quad(texture, repeats), size=96)[1](texture) for repeats in (1, 2))
    fragments, _ = sampler_of(quad(texture, 2), size=96)
    wanted = formula(*fragments.uv.unbind(-1))
    assert (twice[0] - wanted)[:, fragments.mask].abs().max() < 0.05
    assert not torch.allclose(once, twice, atol=0.1)


def test_what_is_foreshortened_is_not_blurred_along_its_other_axis():
    """Stripes that go away from the camera on a floor keep their edges far away."""
    stripes = (torch.arange(64) // 8 % 2).float().expand(1, 3, 64, 64).contiguous()
    corners = torch.tensor([[-1.0, 0, 1], [1, 0, 1], [1, 0, -1], [-1, 0, -1]])
    mesh = Mesh(corners, FACES, (FRONT[:, :2] + 1) / 2, stripes)
    fragments, sampler = sampler_of(mesh, Camera(elevation=12), 96)
    picture = sampler(stripes)[0, 0]
    middle = ((fragments.uv[..., 0] * 64) % 8 - 4).abs() < 1
    seen = picture[middle & fragments.mask]
    assert len(seen) > 100
    assert torch.minimum(seen, 1 - seen).max() < 0.15


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (9, 33)])
def test_textures_of_any_size_are_looked_up(size):
    texture = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    picture = render(sphere(8, texture=texture), Camera(), 12)
    assert bool(picture.isfinite().all())
    assert float(picture.min()) >= 0


def test_the_picture_is_linear_in_the_texture_with_the_right_gradient():
    generator = torch.Generator().manual_seed(0)
    texture = torch.rand(1, 3, 6, 10, generator=generator, dtype=torch.float64)
    mesh = sphere(8, texture=texture)
    sampler = TextureSampler(rasterize(mesh, Camera(30, 20), 10, samples=2), (6, 10), texture)
    assert torch.autograd.gradcheck(sampler, texture.requires_grad_(), fast_mode=True)
    other = torch.rand(1, 3, 6, 10, generator=generator, dtype=torch.float64)
    assert torch.allclose(sampler(texture + 2 * other), sampler(texture) + 2 * sampler(other))


def test_shading_darkens_what_is_seen_from_the_side():
    mesh = sphere(48, texture=torch.ones(1, 3, 4, 4))
    lit = render(mesh, Camera(), 64, background=(0, 0, 0), shading=1.0)
    assert float(lit[0, 0, 32, 32]) > 0.98
    assert float(lit[0, 0, 32, 4]) < 0.5
    assert torch.allclose(render(mesh, Camera(), 64, background=(1, 1, 1)), torch.ones(1, 3, 64, 64))


def test_a_turntable_begins_at_the_front_and_turns_once():
    mesh = sphere(16)
    pictures = turntable(mesh, 4, (16, 20), elevation=5, shading=0)
    for index, picture in enumerate(pictures):
        assert torch.equal(picture, render(mesh, Camera(90 * index, 5), (16, 20)))


@pytest.mark.parametrize("size", [np.int64(8), np.array(8), torch.tensor(8), 8.0])
def test_one_number_of_any_kind_is_both_sides_of_a_picture(size):
    mesh = sphere(8)
    square = render(mesh, Camera(), (8, 8))
    assert torch.equal(render(mesh, Camera(), size), square)
    assert torch.equal(turntable(mesh, 1, size, elevation=0, shading=0)[0], square)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shading": 1.5}, "`shading`"),
        ({"background": (0, 0, 2)}, "`background`"),
        ({"background": (0, 0)}, "`background`"),
    ],
)
def test_impossible_pictures_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        render(sphere(8), Camera(), 8, **arguments)
