"""What a mesh must be."""

import math
from dataclasses import replace

import pytest
import torch

from pystyle.surfaces import Mesh, sphere, torus, vase

CORNERS = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
TEXTURE = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def quad(**changes):
    parts = {"vertices": CORNERS, "faces": FACES, "uvs": CORNERS[:, :2].clone(), "texture": TEXTURE}
    return Mesh(**{**parts, **changes})


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"vertices": CORNERS.tolist()}, TypeError, "`vertices` must be a floating-point tensor, got list"),
        (
            {"vertices": CORNERS.long()},
            TypeError,
            "`vertices` must be a floating-point tensor, got torch.int64",
        ),
        (
            {"vertices": CORNERS[:, :2]},
            ValueError,
            r"`vertices` must have the shape \(vertices, 3\), got \(4, 2\)",
        ),
        ({"vertices": CORNERS * math.inf}, ValueError, "`vertices` must be finite"),
        ({"vertices": CORNERS * 0}, ValueError, "`vertices` must span an area"),
        (
            {"uvs": CORNERS[:3, :2]},
            ValueError,
            "`uvs` must have a place in the texture for each of 4 vertices, got 3",
        ),
        ({"uvs": torch.zeros(4, 2)}, ValueError, "`uvs` must span an area.* Unwrap the mesh"),
        ({"faces": FACES.int()}, TypeError, "`faces` must be a tensor of int64, got torch.int32"),
        ({"faces": FACES[:0]}, ValueError, r"`faces` must have the shape \(faces, 3\), got \(0, 3\)"),
        ({"faces": FACES + 1}, ValueError, "`faces` must be indices of 4 vertices, from 0 on, got 1 to 4"),
        ({"faces": FACES - 1}, ValueError, "got -1 to 2"),
        ({"faces": FACES.repeat(1_000_001, 1)}, ValueError, "at most 2,000,000 triangles, got 2,000,002"),
        ({"texture": TEXTURE[0]}, ValueError, "`texture`"),
        ({"texture": TEXTURE * 255}, ValueError, "`texture`"),
        ({"texture": TEXTURE.repeat(2, 1, 1, 1)}, ValueError, "a single image, got a batch of 2"),
    ],
)
def test_what_is_no_mesh_is_refused(changes, kind, message):
    with pytest.raises(kind, match=message):
        quad(**changes)


def test_the_middle_and_the_radius_are_those_of_the_corners_that_are_used():
    vertices = torch.cat([CORNERS, torch.full((1, 3), 99.0)])
    mesh = quad(vertices=vertices, uvs=torch.zeros(5, 2).index_copy(0, torch.arange(4), CORNERS[:, :2]))
    assert mesh.center.tolist() == [0.5, 0.5, 0.0]
    assert mesh.radius == pytest.approx(math.sqrt(0.5))


def test_another_texture_changes_nothing_else():
    mesh = quad()
    other = mesh.with_texture(1 - TEXTURE)
    assert torch.equal(other.texture, 1 - TEXTURE)
    assert other.vertices is mesh.vertices
    assert torch.equal(mesh.texture, TEXTURE)
    with pytest.raises(ValueError, match="`texture`"):
        mesh.with_texture(TEXTURE + 1)


@pytest.mark.parametrize("mesh", [sphere(16), torus(16), vase(16)], ids=["sphere", "torus", "vase"])
def test_shapes_are_closed_and_their_triangles_look_outwards(mesh):
    places, same = torch.unique((mesh.vertices * 1e5).round().long(), dim=0, return_inverse=True)
    assert len(places) < len(mesh.vertices)
    corners = same[mesh.faces]
    edges = torch.cat([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    # In a closed surface each edge is there once in each direction.
    there, back = (set(map(tuple, one.tolist())) for one in (edges, edges.flip(1)))
    assert len(there) == len(edges)
    assert there == back
    a, b, c = mesh.vertices.double()[mesh.faces].unbind(1)
    assert float((torch.linalg.cross(b - a, c - a) * a).sum()) / 6 > 0


def test_the_volume_of_a_sphere_and_of_a_torus_is_that_of_the_formulas():
    def volume(mesh):
        a, b, c = mesh.vertices.double()[mesh.faces].unbind(1)
        return float((torch.linalg.cross(a, b) * c).sum()) / 6

    assert volume(sphere(96)) == pytest.approx(4 / 3 * math.pi, rel=0.01)
    assert volume(torus(96, thickness=0.4)) == pytest.approx(2 * math.pi**2 * 0.4**2, rel=0.01)


@pytest.mark.parametrize("make", [sphere, torus, vase])
def test_shapes_take_a_texture_and_refuse_too_few_segments(make):
    assert make(8, texture=TEXTURE).texture is TEXTURE
    with pytest.raises(ValueError, match="`segments` must be at least 8"):
        make(7)


def test_a_mesh_can_be_replaced_in_parts():
    assert replace(quad(), faces=FACES[:1]).faces.shape == (1, 3)
