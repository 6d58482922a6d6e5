"""What a camera sees, against what geometry says."""

import math

import pytest
import torch

from pystyle.surfaces import Camera, Mesh, rasterize, sphere

TEXTURE = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def quad(corners, uvs=((0, 0), (1, 0), (1, 1), (0, 1))):
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    return Mesh(torch.tensor(corners).double(), faces, torch.tensor(uvs).double(), TEXTURE)


FRONT = [[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]


def test_a_quad_seen_from_the_front_is_a_square_with_even_coordinates():
    # Its sphere has the radius √2; at 2 radii and 90 degrees the picture is 4 √2 high where the quad is.
    fragments = rasterize(quad(FRONT), Camera(field_of_view=90, distance=2), 64, samples=1)
    side = 64 / (4 * math.sqrt(2)) * 2
    assert int(fragments.mask.sum()) == pytest.approx(side**2, rel=0.06)
    x = (torch.arange(64) + 0.5 - 32) / side + 0.5
    inside = (x > 0) & (x < 1)
    assert torch.equal(fragments.mask, inside[:, None] & inside[None])
    u, v = fragments.uv[inside][:, inside].unbind(-1)
    assert torch.allclose(u, x[inside][None].expand_as(u), atol=1e-5)
    assert torch.allclose(v, x[inside].flip(0)[:, None].expand_as(v), atol=1e-5)
    assert torch.allclose(fragments.uv_x[inside][:, inside], torch.tensor([1 / side, 0]), atol=1e-6)
    assert torch.allclose(fragments.uv_y[inside][:, inside], torch.tensor([0, -1 / side]), atol=1e-6)
    assert torch.allclose(fragments.depth[fragments.mask], torch.tensor(2 * math.sqrt(2)), atol=1e-5)
    assert torch.allclose(fragments.normals[fragments.mask], torch.tensor([0.0, 0, 1]), atol=1e-6)


def test_coordinates_are_interpolated_in_perspective():
    """A floor: what lies twice as far is seen half as large."""
    floor = quad([[-1.0, 0, 1], [1, 0, 1], [1, 0, -1], [-1, 0, -1]])
    fragments = rasterize(floor, Camera(elevation=30, field_of_view=60, distance=2), (80, 80), samples=1)
    rows, columns = fragments.mask.nonzero(as_tuple=True)
    scale, radius = 40 / math.tan(math.radians(30)), math.sqrt(2)
    eye = torch.tensor([0.0, 2 * radius * 0.5, 2 * radius * math.sqrt(0.75)]).double()
    right, up = (columns + 0.5 - 40) / scale, (40 - rows - 0.5) / scale
    # A ray of the camera, which looks 30 degrees down, meets the floor where its height is 0.
    sine, cosine = 0.5, math.sqrt(0.75)
    ray = torch.stack([right, up * cosine - sine, -up * sine - cosine], 1).double()
    met = eye + ray * (-eye[1] / ray[:, 1])[:, None]
    uv = torch.stack([(met[:, 0] + 1) / 2, (1 - met[:, 2]) / 2], 1)
    assert len(rows) > 500
    assert torch.allclose(fragments.uv[rows, columns].double(), uv, atol=1e-5)


def test_a_sphere_is_seen_with_its_normals_and_a_round_edge():
    camera = Camera(0, 0, field_of_view=40, distance=3)
    fragments = rasterize(sphere(256), camera, 101, samples=1)
    scale = 101 / 2 / math.tan(math.radians(20))
    x = (torch.arange(101) + 0.5 - 50.5).double() / scale
    right, up = x[None].expand(101, 101), -x[:, None].expand(101, 101)
    # |3 e₃ + t ray| = 1 has a solution where the discriminant is positive.
    length = right**2 + up**2 + 1
    root = 9 - 8 * length
    assert int((fragments.mask != (root > 0)).sum()) <= 12
    t = (3 - root.clamp_min(0).sqrt()) / length
    normals = torch.stack([right * t, up * t, 3 - t], -1)
    both = fragments.mask & (root > 0.3)
    assert torch.allclose(fragments.normals[both].double(), normals[both], atol=0.03)
    assert torch.allclose(fragments.depth[both].double(), t[both], atol=2e-3)
    rays = torch.stack([-right, -up, torch.ones_like(right)], -1) / length.sqrt()[..., None]
    assert torch.allclose(fragments.facing[both].double(), (normals * rays).sum(-1)[both], atol=0.03)
    # From the front the first axis points to the right: longitude grows with it, latitude upwards.
    assert (
        torch.allclose(fragments.uv[50, 50], torch.tensor([0.0, 0.5]), atol=0.01)
        or fragments.uv[50, 50, 0] > 0.99
    )
    assert float(fragments.uv[50, 65, 0]) == pytest.approx(
        math.asin(float(normals[50, 65, 0])) / (2 * math.pi), abs=0.002
    )
    assert fragments.uv[35, 50, 1] > fragments.uv[50, 50, 1] > fragments.uv[65, 50, 1]


def test_the_nearer_of_two_surfaces_is_seen_and_of_two_at_one_place_the_first():
    corners = torch.tensor(FRONT).double()
    behind, before = corners - torch.tensor([0, 0, 0.5]), corners * 0.5 + torch.tensor([0, 0, 0.5])
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    places = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]]).double()
    for order in ((behind, before), (before, behind)):
        mesh = Mesh(torch.cat(order), torch.cat([faces, faces + 4]), torch.cat([places, places]), TEXTURE)
        seen = rasterize(mesh, Camera(), 33, samples=1)
        first = 0 if order[0] is before else 2
        assert int(seen.faces[16, 16]) in (first, first + 1)
        assert seen.depth[16, 16] < seen.depth[16, 6]
    twice = Mesh(corners, torch.cat([faces, faces]), places, TEXTURE)
    assert int(rasterize(twice, Camera(), 33, samples=1).faces.max()) <= 1


def test_there_are_no_gaps_between_triangles():
    """A square of many triangles, whose shared edges go through samples."""
    steps = torch.linspace(-1, 1, 9).double()
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    vertices = torch.stack([x, y, torch.zeros_like(x)], -1).flatten(0, 1)
    row, column = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    first = (row * 9 + column).flatten()
    faces = torch.cat(
        [torch.stack([first, first + 1, first + 10], 1), torch.stack([first, first + 10, first + 9], 1)]
    )
    mesh = Mesh(vertices, faces, (vertices[:, :2] + 1) / 2, TEXTURE)
    for azimuth, elevation in ((0, 0), (20, 10), (0, 45), (33, -27)):
        mask = rasterize(mesh, Camera(azimuth, elevation), 64, samples=1).mask
        whole = rasterize(quad(FRONT), Camera(azimuth, elevation), 64, samples=1).mask
        assert torch.equal(mask, whole)
        assert int(mask.sum()) > 500


def test_both_sides_are_seen_and_normals_look_at_the_camera():
    for azimuth in (0, 180):
        fragments = rasterize(quad(FRONT), Camera(azimuth), 16, samples=1)
        assert torch.allclose(fragments.normals[fragments.mask], torch.tensor([0.0, 0, 1]), atol=1e-6)
        assert bool((fragments.facing[fragments.mask] > 0.9).all())


def test_triangles_that_are_lines_or_points_are_not_seen():
    corners = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]).double()
    faces = torch.tensor([[0, 0, 1], [0, 1, 1], [2, 2, 2], [0, 1, 2]])
    mesh = Mesh(corners, faces, (corners[:, :2] + 1) / 2, TEXTURE)
    fragments = rasterize(mesh, Camera(), 32, samples=1)
    assert set(fragments.faces.unique().tolist()) == {-1, 3}
    assert bool(fragments.uv.isfinite().all())


def test_a_wider_picture_shows_the_same_in_its_middle():
    narrow, wide = (rasterize(sphere(16), Camera(20, 30), (24, width), samples=1) for width in (24, 40))
    assert torch.equal(wide.mask[:, 8:32], narrow.mask)
    assert torch.allclose(wide.uv[:, 8:32], narrow.uv, atol=1e-5)


def test_samples_divide_pixels():
    one, three = (rasterize(sphere(32), Camera(), 16, samples=samples) for samples in (1, 3))
    assert three.mask.shape == (48, 48)
    # The sample in the middle of a pixel is the only one of a pixel.
    assert torch.equal(three.mask[1::3, 1::3], one.mask)
    assert torch.allclose(three.uv[1::3, 1::3], one.uv, atol=1e-5)


def test_many_samples_are_looked_at_in_parts(monkeypatch):
    whole = rasterize(sphere(8), Camera(10, 20), 20, samples=1)
    monkeypatch.setattr("pystyle.surfaces._triangles._AT_ONCE", 7)
    parts = rasterize(sphere(8), Camera(10, 20), 20, samples=1)
    assert torch.equal(whole.faces, parts.faces)
    assert torch.equal(whole.uv, parts.uv)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"elevation": 91}, "`elevation`"),
        ({"field_of_view": 180}, "`field_of_view`"),
        ({"distance": 1.0}, "`distance`"),
        ({"azimuth": math.nan}, "`azimuth`"),
    ],
)
def test_impossible_cameras_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Camera(**arguments)


@pytest.mark.parametrize("size", [0, (4, 0)])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(ValueError, match=r"`size\[[01]\]` must be at least 1, got 0"):
        rasterize(sphere(8), Camera(), size)
    with pytest.raises(ValueError, match="`samples`"):
        rasterize(sphere(8), Camera(), 4, samples=0)


def test_the_sphere_around_a_mesh_fills_the_picture():
    for azimuth, elevation in ((0, 0), (77, -40)):
        mask = rasterize(sphere(64), Camera(azimuth, elevation), 100, samples=1).mask
        high = mask.any(1).nonzero()
        assert 2 <= int(high.min()) <= 4
        assert 95 <= int(high.max()) <= 97
