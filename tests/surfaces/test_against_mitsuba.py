"""What a camera sees, as Mitsuba's rays find it."""

import pytest
import torch

from pystyle.surfaces import Camera, rasterize, torus, vase, write_mesh

mitsuba = pytest.importorskip("mitsuba", reason="needs Mitsuba 3, which no extra installs")

SIZE = 40


def rays(mesh, camera):
    """The place of the camera, and a direction for each pixel, of length 1 along its axis."""
    right, up, towards = camera.axes
    origin = mesh.center.double() + camera.radii * mesh.radius * towards
    for row in range(SIZE):
        for column in range(SIZE):
            x, y = column + 0.5 - SIZE / 2, SIZE / 2 - row - 0.5
            yield origin, (x * right + y * up) / (camera.focal_length * SIZE) - towards


@pytest.mark.parametrize("camera", [Camera(30, 25), Camera(200, -40, field_of_view=70, distance=2.2)])
@pytest.mark.parametrize("shape", [torus, vase])
def test_rays_hit_what_is_rasterised(shape, camera, tmp_path):
    mitsuba.set_variant("scalar_rgb")
    mesh = shape(24)
    write_mesh(mesh, tmp_path / "mesh.obj")
    description = {"type": "obj", "filename": str(tmp_path / "mesh.obj"), "flip_tex_coords": False}
    scene = mitsuba.load_dict({"type": "scene", "mesh": description | {"face_normals": True}})
    seen = list(rays(mesh, camera))
    hits = [scene.ray_intersect(mitsuba.Ray3f(place.tolist(), way.tolist())) for place, way in seen]
    toward = [(way / way.norm()).tolist() for _, way in seen]
    fragments = rasterize(mesh, camera, SIZE, samples=1)
    mask = torch.tensor([hit.is_valid() for hit in hits]).view(SIZE, SIZE)
    assert mask.any()
    # At an edge the two may round to different sides.
    assert (mask != fragments.mask).float().mean() < 0.002
    both = (mask & fragments.mask).flatten()
    pairs = [(hit, index) for index, hit in enumerate(hits) if both[index]]
    depth = torch.tensor([float(hit.t) for hit, _ in pairs])
    uv = torch.tensor([[float(part) for part in hit.uv] for hit, _ in pairs])
    places = torch.tensor([index for _, index in pairs])
    found = fragments.depth.flatten()[places]
    assert ((depth - found).abs() < 1e-4 * mesh.radius).float().mean() > 0.995
    # Where two triangles are nearly as far, either may be the nearer one.
    assert ((uv - fragments.uv.flatten(0, 1)[places]).abs().amax(1) < 1e-3).float().mean() > 0.995
    cosines = [
        abs(sum(float(a) * float(b) for a, b in zip(hits[index].n, toward[index], strict=True)))
        for _, index in pairs
    ]
    wanted = fragments.facing.flatten()[places].double()
    assert torch.isclose(torch.tensor(cosines).mean(dtype=torch.float64), wanted.mean(), atol=1e-3)
