"""Style transfer against the equations of the paper and the numbers of both releases."""

import inspect
from functools import partial

import pytest
import torch

from pystyle.papers import gatys_2016

CONTENT = "relu4_2"
STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


def paper_loss(encoder, content, style, image, alpha, beta):
    """Equations 1, 4, 5 and 7, with sums."""
    found = encoder(image, [CONTENT, *STYLE])
    photo, painting = encoder(content, [CONTENT]), encoder(style, STYLE)
    content_loss = (found[CONTENT] - photo[CONTENT]).square().sum() / 2
    style_loss = 0.0
    for layer in STYLE:
        maps = [features[layer][0].flatten(1) for features in (found, painting)]
        n, m = maps[0].shape
        difference = maps[0] @ maps[0].T - maps[1] @ maps[1].T
        style_loss = style_loss + 1 / 5 * difference.square().sum() / (4 * n**2 * m**2)
    return alpha * content_loss + beta * style_loss


def code_loss(encoder, content, style, image):
    """The loop of the notebook: mean squared errors of Gram matrices per position, weights 1e3 / N²."""
    found = encoder(image, [CONTENT, *STYLE])
    photo, painting = encoder(content, [CONTENT]), encoder(style, STYLE)
    total = torch.nn.functional.mse_loss(found[CONTENT], photo[CONTENT])
    for layer, n in zip(STYLE, (64, 128, 256, 512, 512), strict=True):
        grams = []
        for features in (found, painting):
            b, c, h, w = features[layer].shape
            flat = features[layer].view(b, c, h * w)
            grams.append(torch.bmm(flat, flat.transpose(1, 2)).div(h * w))
        total = total + 1e3 / n**2 * torch.nn.functional.mse_loss(*grams)
    return total


def test_the_loss_of_the_paper_is_equation_7(exact_averaging_encoder, picture, check_formula):
    content, style, image = picture(0), picture(1), picture(2)
    criterion = gatys_2016.criterion(
        exact_averaging_encoder, variant="paper", content_weight=2.0, style_weight=5e3, size=(32, 48)
    )
    check_formula(
        criterion,
        {"content": content, "style": style},
        image,
        lambda image: paper_loss(exact_averaging_encoder, content, style, image, 2.0, 5e3),
    )


@pytest.mark.parametrize("variant", ["code", "torch"])
def test_the_loss_of_the_code_is_that_of_its_loop(exact_encoder, picture, check_formula, variant):
    content, style, image = picture(0), picture(1, 48, 32), picture(2)
    check_formula(
        gatys_2016.criterion(exact_encoder, variant=variant),
        {"content": content, "style": style},
        image,
        lambda image: code_loss(exact_encoder, content, style, image),
    )


def test_the_code_weighs_the_layers_by_4000_over_the_squared_channels(encoder):
    weights = {
        variant: gatys_2016.criterion(encoder, variant=variant, style_weight=weight).losses["style"]
        for variant, weight in (("paper", 1.0), ("code", 1e3))
    }
    for layer, n in zip(STYLE, (64, 128, 256, 512, 512), strict=True):
        own = 5 * weights["paper"].layer_weights[layer] * weights["paper"].weight
        assert weights["code"].layer_weights[layer] == pytest.approx(4000 / n**2 * own)


def test_the_sizes_are_those_of_the_releases():
    content, style = torch.zeros(1, 3, 768, 1024), torch.zeros(1, 3, 768, 970)

    def sizes(**options):
        return [tuple(image.shape[2:]) for image in gatys_2016.working_sizes(content, style, **options)]

    assert sizes() == [(512, 682), (512, 646)]
    assert sizes(variant="torch") == [(444, 592), (456, 576)]
    assert sizes(variant="paper") == [(512, 682), (512, 682)]
    assert sizes(edge_size=800) == [(800, 1066), (800, 1010)]


def test_the_numbers_are_those_of_the_releases():
    defaults = {
        name: p.default for name, p in inspect.signature(gatys_2016.style_transfer).parameters.items()
    }
    assert (defaults["edge_size"], defaults["num_steps"], defaults["style_weight"]) == (512, 500, 1e3)
    assert defaults["optimizer"].keywords == {"history_size": 100, "initial_step": None}
    stages = inspect.signature(gatys_2016.high_resolution).parameters
    assert stages["num_steps"].default == (500, 200)


def test_the_first_evaluations_are_those_of_a_loop_with_the_optimizer_of_torch(exact_encoder, picture):
    content, style = (picture(seed, 32, 32) for seed in (0, 1))
    image = content.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([image])
    expected = []

    def closure():
        optimizer.zero_grad()
        # A random network has small gradients, with which torch's first step would be another one.
        loss = 1e6 * code_loss(exact_encoder, content, style, image)
        loss.backward()
        expected.append(float(loss.detach()) / 1e6)
        return loss

    optimizer.step(closure)
    result = gatys_2016.style_transfer(content, style, encoder=exact_encoder, edge_size=32, num_steps=10)
    assert result.history["total"][:10] == pytest.approx(expected[:10], rel=1e-4)
    assert expected[9] < expected[0] / 2


def test_the_code_starts_from_the_content_and_leaves_the_range(encoder, picture):
    content, style = (picture(seed, 32, 40, torch.float32) for seed in (0, 1))
    seen = []
    for variant in ("code", "torch"):
        result = gatys_2016.style_transfer(
            content, style, encoder=encoder, variant=variant, edge_size=32, num_steps=0
        )
        seen.append(float(result.history["content.relu4_2"][0]))
    assert seen == [0.0, 0.0]
    noise = gatys_2016.style_transfer(
        content, style, encoder=encoder, variant="paper", edge_size=32, num_steps=0
    )
    assert noise.history["content.relu4_2"][0] > 0
    assert float(noise.image.std(dim=(2, 3)).max()) < 0.01


@pytest.mark.parametrize("variant", ["paper", "code", "torch"])
def test_a_short_run_lowers_the_loss(encoder, picture, variant):
    content, style = (picture(seed, 40, 32, torch.float32) for seed in (0, 1))
    result = gatys_2016.style_transfer(
        content, style, encoder=encoder, variant=variant, edge_size=32, num_steps=6
    )
    assert result.stop_reason == "finished"
    assert bool(result.image.isfinite().all())
    assert result.history["total"][-1] < 0.8 * result.history["total"][0]


def test_the_second_stage_begins_with_the_enlarged_picture(encoder, picture):
    content, style = (picture(seed, 64, 64, torch.float32) for seed in (0, 1))
    coarse, fine = gatys_2016.high_resolution(
        content, style, encoder=encoder, edge_sizes=(32, 48), num_steps=(3, 0)
    )
    assert (coarse.image.shape[2], fine.image.shape[2]) == (32, 48)
    halves = torch.nn.functional.interpolate(
        coarse.image, (48, 48), mode="bilinear", antialias=True, align_corners=False
    )
    torch.testing.assert_close(fine.image, halves.clamp(0, 1), atol=1e-5, rtol=0)


def test_any_optimizer_and_start_may_be_taken(encoder, picture):
    content, style = (picture(seed, 32, 32, torch.float32) for seed in (0, 1))
    result = gatys_2016.style_transfer(
        content,
        style,
        encoder=encoder,
        edge_size=32,
        init="grey",
        optimizer=partial(torch.optim.Adam, lr=0.02),
        num_steps=3,
    )
    assert result.history["total"][-1] < result.history["total"][0]


def test_an_unknown_variant_is_refused(encoder, picture):
    with pytest.raises(ValueError, match="`variant` must be 'paper', 'code' or 'torch', got 'pytorch'"):
        gatys_2016.criterion(encoder, variant="pytorch")
    with pytest.raises(ValueError, match="`variant`"):
        gatys_2016.working_sizes(picture(0), picture(1), variant="pytorch")
