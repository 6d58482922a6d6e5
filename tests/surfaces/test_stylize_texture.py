"""Whole runs: they go on with the same bytes, and leave no seam."""

import logging
from functools import partial

import pytest
import torch

from pystyle.checkpoints import CheckpointError
from pystyle.encoders import vgg11
from pystyle.parametrizations import Fourier
from pystyle.surfaces import Camera, Mesh, Views, render, sphere, stylize_texture, vase

VIEWS = Views(sheets=2, views=2)


def noise(seed, height, width):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def painted(encoder):
    def paint(mesh=None, style=None, **changes):
        arguments = {
            "texture_size": 32,
            "views": VIEWS,
            "num_steps": [4],
            "encoder": encoder,
            "device": "cpu",
            "precision": "float32",
        }
        mesh = sphere(8, texture=noise(0, 20, 32)) if mesh is None else mesh
        return stylize_texture(mesh, noise(1, 25, 30) if style is None else style, **{**arguments, **changes})

    return paint


def test_a_run_moves_the_texture_and_nothing_else(painted):
    mesh = sphere(8, texture=noise(0, 20, 32))
    before = mesh.texture.clone()
    found = painted(mesh, num_steps=[8], averaging=None)
    assert torch.equal(mesh.texture, before)
    assert found.mesh.vertices is mesh.vertices
    assert found.mesh.uvs is mesh.uvs
    assert found.mesh.texture.shape == (1, 3, 32, 51)
    assert 0 <= float(found.mesh.texture.min()) <= float(found.mesh.texture.max()) <= 1
    totals = found.result.history["total"]
    # Sheets alternate: the last ones against the first ones.
    assert sum(totals[6:8]) < sum(totals[:2])
    assert found.result.stop_reason == "finished"
    assert found.result.precision == "float32"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_that_goes_on_keeps_its_precision(painted, precision, tmp_path):
    whole = painted(num_steps=[4], precision=precision)
    painted(num_steps=[2], precision=precision, checkpoint=tmp_path / "run")
    resumed = painted(num_steps=[4], precision="auto", checkpoint=tmp_path / "run", resume=True)
    assert resumed.result.precision == precision
    assert torch.equal(resumed.mesh.texture, whole.mesh.texture)


def test_an_encoder_without_weights_is_refused(painted):
    with torch.device("meta"):
        empty = vgg11(weights=None)
    with pytest.raises(ValueError, match="must have weights, got one on the device meta"):
        painted(encoder=empty)


def test_a_run_that_goes_on_has_the_same_bytes(painted, tmp_path):
    whole = painted(num_steps=[6])
    again = painted(num_steps=[6])
    assert torch.equal(whole.mesh.texture, again.mesh.texture)

    def stop(step):
        if step.index == 2:
            raise KeyboardInterrupt

    painted(num_steps=[6], callbacks=stop, checkpoint=tmp_path / "run")
    resumed = painted(num_steps=[6], checkpoint=tmp_path / "run", resume=True)
    assert torch.equal(resumed.mesh.texture, whole.mesh.texture)


def test_a_checkpoint_is_of_one_mesh_and_its_views(painted, tmp_path):
    painted(num_steps=[1], checkpoint=tmp_path / "run")
    for changes in ({"views": Views(sheets=2, views=2, seed=1)}, {"view_scale": 0.6}):
        with pytest.raises(CheckpointError, match="of another run"):
            painted(num_steps=[1], checkpoint=tmp_path / "run", resume=True, **changes)
    other = sphere(10, texture=noise(0, 20, 32))
    with pytest.raises(CheckpointError, match="mesh"):
        painted(other, num_steps=[1], checkpoint=tmp_path / "run", resume=True)


def test_other_parametrizations_styles_and_seeds_give_other_textures(painted):
    textures = [
        painted(num_steps=[2], **changes).mesh.texture
        for changes in (
            {},
            {"parametrization": Fourier},
            {"style": [noise(1, 25, 30), noise(2, 20, 20)], "style_weights": [1, 3]},
            {"views": Views(sheets=2, views=2, seed=4)},
            {"style_scale": 0.9},
            {"strength": "strong"},
        )
    ]
    for index, one in enumerate(textures):
        assert not any(torch.equal(one, other) for other in textures[:index])


def test_texels_that_no_triangle_shows_get_the_colours_of_their_neighbours(painted):
    corners = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    # The left half of the texture; the right one is nowhere.
    uvs = torch.tensor([[0.1, 0.1], [0.4, 0.1], [0.4, 0.9], [0.1, 0.9]])
    texture = torch.zeros(1, 3, 40, 40)
    texture[:, 0, :, :20], texture[:, 2, :, 20:] = 0.9, 0.9
    mesh = Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]), uvs, texture)
    red = torch.tensor([0.9, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 30, 30)
    found = painted(mesh, red, views=Views(1, 1, elevations=(0, 0)), num_steps=[1], texture_size=40)
    assert float(found.mesh.texture[:, 2].max()) < 0.1
    assert float(found.mesh.texture[:, 0].min()) > 0.7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"texture_size": 0}, "`texture_size`"),
        ({"view_scale": 0}, "`view_scale`"),
        ({"style_scale": -1}, "`style_scale`"),
        ({"texture_size": 3}, "must be at least"),
        ({"style_loss": "mrf"}, "No patch of 3 x 3 positions lies wholly in the region"),
        ({"num_steps": "never"}, "`num_steps`"),
        ({"on_interrupt": "stop"}, "`on_interrupt`"),
        ({"style_weights": [1, 2]}, "weights"),
    ],
)
def test_impossible_runs_are_refused(painted, changes, message):
    with pytest.raises(ValueError, match=message):
        painted(**changes)


def test_ctrl_c_gives_the_mesh_so_far(painted, caplog):
    def stop(step):
        if step.index == 2:
            raise KeyboardInterrupt

    with caplog.at_level(logging.WARNING):
        found = painted(callbacks=stop)
    assert found.result.interrupted
    assert found.mesh.texture.shape == (1, 3, 32, 51)


def test_there_is_no_seam_where_a_texture_was_enlarged(painted):
    """Views of 192 pixels have two levels."""
    mesh = sphere(8, texture=noise(0, 48, 48))
    found = painted(mesh, texture_size=96, view_scale=2.0, num_steps=[1, 0], averaging=None)
    texture = found.result.image
    steps = (texture.roll(-1, 3) - texture).abs().mean((0, 1, 2))
    # Of two neighbours each second pair was one texel before.
    assert float(steps[-1]) < 1.2 * float(steps[1:-1:2].mean())


@pytest.mark.slow
def test_a_vase_is_painted_without_a_seam_by_the_real_network():
    y, x = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    stripes = ((x + y) % 16 < 8).float()
    style = torch.stack([stripes, 0.2 + 0.5 * stripes, 1 - stripes])[None]
    found = stylize_texture(
        vase(24),
        style,
        texture_size=128,
        views=Views(sheets=2, views=2),
        num_steps=[30],
        optimizer=partial(torch.optim.Adam, lr=0.05),
        averaging=None,
        device="cpu",
    )
    history = found.result.history
    styles = [name for name in history if name.startswith("style.")]
    first, last = (sum(history[name][row] for name in styles) for row in (0, -1))
    assert last < 0.5 * first
    # The seam is where the texture begins, which is seen from the front.
    texture = found.mesh.texture
    across = (texture[..., 0] - texture[..., -1]).abs().mean()
    within = (texture[..., 1:] - texture[..., :-1]).abs().mean()
    assert across < 1.5 * within
    assert bool(render(found.mesh, Camera(), 64).isfinite().all())
