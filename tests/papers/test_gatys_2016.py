"""Style transfer against the equations of the paper and the numbers of both releases."""

import inspect
from functools import partial

import pytest
import torch

from pystyle.papers import gatys_2016

CONTENT = "relu4_2"
STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
CHANNELS = {f"relu{block}": n for block, n in zip("12345", (64, 128, 256, 512, 512), strict=True)}


def paper_loss(encoder, content, style, image, alpha, beta, contents=(CONTENT,), styles=STYLE):
    """Equations 1, 4, 5 and 7, with sums."""
    found = encoder(image, [*contents, *styles])
    photo, painting = encoder(content, contents), encoder(style, styles)
    content_loss = sum((found[layer] - photo[layer]).square().sum() / 2 for layer in contents)
    style_loss = 0.0
    for layer in styles:
        maps = [features[layer][0].flatten(1) for features in (found, painting)]
        n, m = maps[0].shape
        difference = maps[0] @ maps[0].T - maps[1] @ maps[1].T
        style_loss = style_loss + 1 / len(styles) * difference.square().sum() / (4 * n**2 * m**2)
    return alpha * content_loss + beta * style_loss


def code_loss(encoder, content, style, image, contents=(CONTENT,), styles=STYLE):
    """The loop of the notebook: mean squared errors of Gram matrices per position, weights 1e3 / N²."""
    found = encoder(image, [*contents, *styles])
    photo, painting = encoder(content, contents), encoder(style, styles)
    total = sum(torch.nn.functional.mse_loss(found[layer], photo[layer]) for layer in contents)
    for layer in styles:
        grams, n = [], CHANNELS[layer[:5]]
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


@pytest.mark.parametrize("variant", ["paper", "code", "torch"])
@pytest.mark.parametrize(
    ("contents", "styles"),
    [(("relu2_2",), STYLE[:2]), (("relu3_4", "relu5_2"), ["relu2_2", "relu4_4"]), (("relu1_2",), STYLE[:1])],
)
def test_the_layers_of_content_and_style_may_be_others(
    exact_encoder, exact_averaging_encoder, picture, check_formula, variant, contents, styles
):
    content, style, image = picture(0), picture(1), picture(2)
    encoder = exact_averaging_encoder if variant == "paper" else exact_encoder
    criterion = gatys_2016.criterion(
        encoder, variant=variant, content_layers=contents, style_layers=styles, size=(32, 48)
    )

    def formula(image):
        if variant == "paper":
            return paper_loss(encoder, content, style, image, 1.0, 1e3, contents, styles)
        return code_loss(encoder, content, style, image, contents, styles)

    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_the_layers_reach_the_criterion_of_both_stages(encoder, picture):
    content, style = (picture(seed, 40, 40, torch.float32) for seed in (0, 1))
    chosen = {"encoder": encoder, "content_layers": "relu2_2", "style_layers": ["relu1_1", "relu3_1"]}
    terms = {"total", "content.relu2_2", "style.relu1_1", "style.relu3_1"}
    one = gatys_2016.style_transfer(content, style, edge_size=32, num_steps=0, **chosen)
    both = gatys_2016.high_resolution(
        content, style, edge_sizes=(32, 40), num_steps=(1, 0), content_weight=3.0, style_weight=0.0, **chosen
    )
    for result in (one, *both):
        assert terms <= set(result.history)
        assert not any("relu4_2" in name for name in result.history)
    assert set(both[1].history["style.relu3_1"]) == {0.0}


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
    # "no downsampling", prints the notebook at 1024.
    assert sizes(variant="torch", edge_size=1024) == [(768, 1024), (768, 970)]
    assert sizes(edge_size=800) == [(800, 1066), (800, 1010)]


def test_the_numbers_are_those_of_the_releases():
    defaults = {
        name: p.default for name, p in inspect.signature(gatys_2016.style_transfer).parameters.items()
    }
    assert (defaults["edge_size"], defaults["num_steps"], defaults["style_weight"]) == (512, 500, 1e3)
    assert defaults["optimizer"].keywords == {"history_size": 100, "initial_step": None}
    stages = inspect.signature(gatys_2016.high_resolution).parameters
    assert stages["num_steps"].default == (500, 200)


@pytest.mark.slow
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
    for variant in ("paper", "pytorch"):
        with pytest.raises(ValueError, match=f"`variant` must be 'code' or 'torch', .* got '{variant}'"):
            gatys_2016.high_resolution(picture(0), picture(1), encoder=encoder, variant=variant)
    with pytest.raises(ValueError, match="`variant`"):
        gatys_2016.working_sizes(picture(0), picture(1), variant="pytorch")
    with pytest.raises(ValueError, match=r"`layers` must be some of .*; got 'relu9_1'"):
        gatys_2016.criterion(encoder, style_layers=["relu9_1"])
    with pytest.raises(ValueError, match=r"`layers` must be some of .*; got 'relu9_1'"):
        gatys_2016.criterion(encoder, variant="paper", content_layers="relu9_1")
