"""Style transfer to textures: the losses against their formulas, and runs that are made of them."""

import math

import pytest
import torch

from pystyle import MaskedImage
from pystyle.encoders import vgg16
from pystyle.images import resize
from pystyle.papers import kato_2018, mordvintsev_2018
from pystyle.surfaces import SURFACE, Views, sphere

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
            total = total + difference.square().mean()
        return total

    one = kato_2018.criterion(exact_encoder, layers=layers, smoothness_weight=0.0)
    references = {"content": MaskedImage(image, {SURFACE: mask}), "style": style}
    check_formula(one, references, image, formula)


def test_smoothness_is_the_variation_within_the_silhouette(encoder):
    one = kato_2018.criterion(encoder, layers="relu1_1", smoothness_weight=2.0)
    flat = torch.full((1, 3, 16, 16), 0.5)
    edge = flat.clone()
    edge[..., 8:] = 1
    inside = torch.zeros(1, 1, 16, 16)
    inside[..., :6] = 1
    for mask, seen in ((inside, False), (1 - inside, True)):
        references = {"content": MaskedImage(edge, {SURFACE: mask}), "style": flat}
        assert (float(one.bind(references)(edge)["smoothness.image"]) > 1e-4) is seen


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


def test_mordvintsev_starts_from_noise_of_a_seed_and_kato_from_the_texture(encoder, picture):
    mesh = sphere(8, texture=picture(1, 32, 64, torch.float32))
    style = picture(3, 32, 32, torch.float32)
    options = {"encoder": encoder, "texture_size": 32, "view_size": 32, "views": VIEWS, "num_steps": 0}
    starts = [
        mordvintsev_2018.style_transfer(mesh, style, seed=seed, **options).mesh.texture for seed in (0, 0, 1)
    ]
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])
    assert float(starts[0].mean()) == pytest.approx(0.5, abs=0.01)
    assert float(starts[0].std()) == pytest.approx(0.01, abs=0.001)
    assert torch.equal(kato_2018.style_transfer(mesh, style, **options).mesh.texture, mesh.texture)


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
    )
    torch.testing.assert_close(found.result.image, resize(texture, 24, wrap="both"))
