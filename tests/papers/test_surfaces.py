"""Style transfer to textures: the losses against their formulas, and runs that are made of them."""

import inspect
import math

import pytest
import torch

from pystyle import MaskedImage
from pystyle.encoders import vgg16
from pystyle.images import resize
from pystyle.papers import kato_2018, mordvintsev_2018
from pystyle.parametrizations import Fourier
from pystyle.surfaces import SURFACE, Views, sphere
from pystyle.testing import check_loss

VIEWS = Views(sheets=2, views=2)


def gram(features):
    flat = features.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def test_the_losses_of_mordvintsev_are_mean_absolute_differences(exact_encoder, picture, check_formula):
    style, content, image = picture(0), picture(1), picture(2)
    layers = [*mordvintsev_2018.STYLE_LAYERS, "relu3_3"]

    def formula(image):
        found, wanted, kept = (exact_encoder(one, layers) for one in (image, style, content))
        total = 100 * (found["relu3_3"] - kept["relu3_3"]).abs().mean()
        for layer in mordvintsev_2018.STYLE_LAYERS:
            total = total + (gram(found[layer]) - gram(wanted[layer])).abs().mean()
        return total

    references = {"content": content, "style": style}
    check_formula(mordvintsev_2018.criterion(exact_encoder), references, image, formula)


def test_other_layers_and_weights_reach_the_losses_of_mordvintsev(exact_encoder):
    one = mordvintsev_2018.criterion(
        exact_encoder, style_layers="relu1_1", content_layer="relu2_1", content_weight=3.0
    )
    assert one.losses["style"].layers == ("relu1_1",)
    assert one.losses["content"].layers == ("relu2_1",)
    assert one.losses["content"].weight == 3


def test_the_style_of_kato_is_that_of_the_silhouette(exact_encoder, picture, check_formula):
    style, image = picture(0), picture(2)
    mask = torch.zeros(1, 1, 32, 48, dtype=torch.float64)
    mask[..., 16:32] = 1
    layers = ("relu1_1", "relu1_2")

    def formula(image):
        found, wanted = (exact_encoder(one, layers) for one in (image, style))
        # The layers are as large as the image, so the silhouette is the same in them.
        total = 0.0
        for layer in layers:
            inside, whole = found[layer][..., 16:32], wanted[layer]
            difference = (gram(inside) - gram(whole)) / inside.shape[1]
            total = total + difference.square().sum()
        return total

    one = kato_2018.criterion(exact_encoder, layers=layers, smoothness_weight=0.0)
    references = {"content": MaskedImage(image, {SURFACE: mask}), "style": style}
    check_formula(one, references, image, formula)


def test_smoothness_is_the_sum_of_squares_within_the_silhouette(encoder):
    one = kato_2018.criterion(encoder, layers="relu1_1", smoothness_weight=2.0)
    flat = torch.full((1, 3, 16, 16), 0.5)
    edge = flat.clone()
    edge[..., 8:] = 1
    left, edged = torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    left[..., :6] = 1
    edged[..., :4, :] = 0.5  # partly covered: not in it
    # A step of 1/2 to the right in three colours, in 15 of 16 rows: the last has none below.
    for mask, rows in ((left, 0), (1 - left, 15), (edged, 11)):
        references = {"content": MaskedImage(edge, {SURFACE: mask}), "style": flat}
        found = one.bind(references)(edge)["smoothness.image"]
        assert float(found) == pytest.approx(2.0 * 3 * rows * 0.25)


def test_differences_to_the_right_and_below_are_added():
    image = torch.zeros(2, 3, 3, 3)
    image[0, 0, 1, 1] = 2.0  # two squares of its own, and one each from above and the left
    image[1] = 0.25
    assert float(kato_2018.SquaredDifferencesLoss().represent(image)) == pytest.approx(4 * 4 / 2)
    check_loss(kato_2018.SquaredDifferencesLoss(), channels=3)


def test_the_rate_of_mordvintsev_moves_a_grey_texture_as_far_as_the_sigmoid_of_the_authors():
    size, row, column = 1024, 3, 5
    optimizer = inspect.signature(mordvintsev_2018.style_transfer).parameters["optimizer"].default
    fourier = Fourier(torch.full((1, 3, size, size), 0.5))
    with torch.no_grad():
        fourier.spectrum[0, 0, row, column, 0] += 0.01
        ours = optimizer.keywords["lr"] * (fourier() - 0.5).norm() / 0.01
    # Their waves are 1 / f high, divided by 4; colours by the longest column of their root; a sigmoid halves
    # twice. A coefficient of a transform that keeps lengths stands for two, so its wave is √2 long.
    colours = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
    lengths = colours.norm(dim=0)
    wave = math.sqrt(2) * size / math.hypot(row, column) / 4
    theirs = 0.05 * wave * float(lengths[0] / lengths.max()) / 4
    assert float(ours) == pytest.approx(theirs, rel=0.02)


def test_the_angle_of_mordvintsev_puts_a_ball_as_far_away_as_the_authors_do():
    views = inspect.signature(mordvintsev_2018.style_transfer).parameters["views"].default
    assert views.field_of_view == 10
    (camera, *_), *_ = views.cameras()
    assert 10 < camera.radii < 12.1


def test_a_cube_just_fills_the_pictures_of_kato():
    views = inspect.signature(kato_2018.style_transfer).parameters["views"].default
    # The front of a cube from -1 to 1 fills the picture: 1 / tan 30° before it.
    assert views.distance == pytest.approx(1 + 1 / math.tan(math.radians(views.field_of_view / 2)), abs=1e-3)
    assert (views.field_of_view, views.elevations, views.views) == (60, (20, 40), 4)


def test_texels_are_a_sigmoid_of_what_is_optimised():
    image = torch.tensor([0.0, 0.25, 1.0]).reshape(1, 1, 1, 3).expand(1, 3, 1, 3)
    texture = kato_2018.SquashedTexture(image)
    torch.testing.assert_close(texture().detach(), image.clamp(1e-3, 1 - 1e-3))
    assert float(texture.logits.detach()[0, 0, 0, 1]) == pytest.approx(-math.log(3), abs=1e-6)


@pytest.mark.parametrize("paper", [mordvintsev_2018, kato_2018])
def test_a_run_paints_the_texture_through_views(encoder, picture, paper):
    mesh = sphere(8, texture=picture(1, 32, 64, torch.float32))
    style = picture(3, 32, 32, torch.float32)
    steps = []
    painted = paper.style_transfer(
        mesh, style, encoder=encoder, texture_size=40, view_size=32, views=VIEWS, num_steps=2,
        callbacks=[steps.append],
    )  # fmt: skip
    assert painted.mesh.texture.shape == (1, 3, 40, 80)
    assert torch.equal(painted.mesh.texture, painted.result.image)
    assert painted.mesh.vertices is mesh.vertices
    assert len(steps) == 2
    assert all(math.isfinite(total) for total in painted.result.history["total"])


def test_both_start_from_noise_of_a_seed(encoder, picture):
    mesh = sphere(8, texture=picture(1, 32, 64, torch.float32))
    style = picture(3, 32, 32, torch.float32)
    options = {"encoder": encoder, "texture_size": 32, "view_size": 32, "views": VIEWS, "num_steps": 0}
    # A sigmoid has the slope 1/4 at 0.
    for paper, deviation in ((mordvintsev_2018, 0.01), (kato_2018, 0.05 / 4)):
        starts = [paper.style_transfer(mesh, style, seed=seed, **options).mesh.texture for seed in (0, 0, 1)]
        assert torch.equal(starts[0], starts[1])
        assert not torch.equal(starts[0], starts[2])
        assert float(starts[0].mean()) == pytest.approx(0.5, abs=0.01)
        assert float(starts[0].std()) == pytest.approx(deviation, rel=0.1)
    own = kato_2018.style_transfer(mesh, style, init="content", **options).mesh.texture
    torch.testing.assert_close(own, mesh.texture.clamp(1e-3, 1 - 1e-3))


def test_the_texture_of_kato_is_enlarged_as_it_is_repeated():
    texture = torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(0))
    found = kato_2018.style_transfer(
        sphere(8, texture=texture),
        torch.rand(1, 3, 32, 32),
        encoder=vgg16(weights=None),
        texture_size=24,
        view_size=32,
        views=Views(sheets=1, views=1),
        num_steps=0,
        init="content",
    )
    expected = resize(texture, 24, wrap="both").clamp(1e-3, 1 - 1e-3)
    torch.testing.assert_close(found.result.image, expected)
