"""SPST: the losses of the code, in strips and at once, and the levels."""

import pytest
import torch

from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.papers import galerne_2024

STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


def loss(encoder, content, style, image, where="relu4_2", styles=STYLE, moments=1e4):
    found = encoder(image, [where, *styles])
    photo, painting = encoder(content, [where]), encoder(style, styles)
    total = torch.nn.functional.mse_loss(found[where], photo[where])
    for layer in styles:
        statistics, n = [], found[layer].shape[1]
        for features in (found, painting):
            flat = features[layer][0].flatten(1)
            gram, mean = flat @ flat.T / flat.shape[1], flat.mean(1)
            statistics.append((gram, mean, (gram.diagonal() - mean**2 + 1e-6).sqrt()))
        weight = 1e3 / n**2
        total = total + weight * (statistics[0][0] - statistics[1][0]).square().mean()
        for which in (1, 2):
            difference = (statistics[0][which] - statistics[1][which]).square().mean()
            total = total + weight * n**2 * moments / 1000 * difference
    return total


def test_the_loss_is_that_of_the_code(exact_encoder, picture, check_formula):
    content, style, image = picture(0), picture(1, 40, 32), picture(2)
    check_formula(
        galerne_2024.criterion(exact_encoder),
        {"content": content, "style": style},
        image,
        lambda image: loss(exact_encoder, content, style, image),
    )


@pytest.mark.parametrize("moments", [0.0, 500.0])
def test_layers_and_the_weight_of_the_moments_may_be_others(exact_encoder, picture, check_formula, moments):
    content, style, image = picture(0), picture(1, 40, 32), picture(2)
    styles = ["relu2_2", "relu3_1"]
    check_formula(
        galerne_2024.criterion(
            exact_encoder, content_layers="relu3_2", style_layers=styles, moment_weight=moments
        ),
        {"content": content, "style": style},
        image,
        lambda image: loss(exact_encoder, content, style, image, "relu3_2", styles, moments),
    )


def test_layers_and_weights_reach_every_level(encoder, picture):
    content, style = picture(0, 64, 48, torch.float32), picture(1, 48, 48, torch.float32)
    levels = galerne_2024.style_transfer(
        content, style, encoder=encoder, steps=(1, 0), largest=40, content_layers="relu3_2",
        style_layers=["relu2_2"], content_weight=0.0, style_weight=0.0, moment_weight=0.0,
    )  # fmt: skip
    assert len(levels) == 2
    for level in levels:
        assert {"content.relu3_2", "gram.relu2_2", "moments.relu2_2"} <= set(level.history)
        assert set(level.history["total"]) == {0.0}


def test_the_gradient_in_strips_is_that_of_the_whole_image(exact_encoder, picture):
    content, style, image = picture(0, 96, 48), picture(1, 64, 64), picture(2, 96, 48)
    references = {"content": content, "style": style}
    criterion = galerne_2024.criterion(exact_encoder)
    terms, whole = EagerEvaluation().bind(criterion, references)(image)
    strip_terms, strips = StripEvaluation(rows=16).bind(criterion, references)(image)
    assert float((strips - whole).norm() / whole.norm()) < 1e-10
    torch.testing.assert_close(strip_terms.total, terms.total, rtol=1e-10, atol=0)


def test_the_content_is_halved_until_its_short_side_is_below_1024():
    assert galerne_2024.level_sizes((1023, 2000)) == [(1023, 2000)]
    assert galerne_2024.level_sizes((1024, 2000)) == [(512, 1000), (1024, 2000)]
    assert galerne_2024.level_sizes((4096, 6000)) == [(512, 750), (1024, 1500), (2048, 3000), (4096, 6000)]


@pytest.mark.parametrize(("side", "expected"), [(35, 35), (36, 32)])
def test_only_a_much_larger_style_is_resized(encoder, picture, side, expected, monkeypatch):
    seen = []
    run = galerne_2024.optimize_image

    def watch(criterion, references, **options):
        seen.append(references["style"].shape[2])
        return run(criterion, references, **options)

    monkeypatch.setattr(galerne_2024, "optimize_image", watch)
    style = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    galerne_2024.style_transfer(picture(0, 32, 32, torch.float32), style, encoder=encoder, steps=(0,))
    assert seen == [expected]


def test_only_the_first_level_remembers_a_hundred_pairs(encoder, picture, monkeypatch):
    seen = []
    run = galerne_2024.optimize_image

    def watch(criterion, references, *, optimizer, **options):
        seen.append(optimizer.keywords["history_size"])
        return run(criterion, references, optimizer=optimizer, **options)

    monkeypatch.setattr(galerne_2024, "optimize_image", watch)
    content, style = picture(0, 64, 64, torch.float32), picture(1, 32, 32, torch.float32)
    galerne_2024.style_transfer(content, style, encoder=encoder, steps=(0,), largest=40)
    assert seen == [100, 10]


def test_the_steps_of_the_code():
    assert galerne_2024.STEPS == {"code": (600, 300), "fast": (600, 200, 66, 30)}


@pytest.mark.slow
def test_a_short_run_lowers_the_loss_at_each_level(encoder, picture):
    content, style = picture(0, 64, 64, torch.float32), picture(1, 48, 48, torch.float32)
    levels = galerne_2024.style_transfer(content, style, encoder=encoder, steps=(6, 3), largest=40)
    assert [level.image.shape[2] for level in levels] == [32, 64]
    assert [len(level.history["total"]) - 1 for level in levels] == [6, 3]
    for level in levels:
        assert bool(level.image.isfinite().all())
        assert min(level.history["total"]) < level.history["total"][0]


def test_unknown_steps_are_refused(encoder, picture):
    with pytest.raises(ValueError, match="`steps` must be 'code', 'fast' or at least one number, got 'slow'"):
        galerne_2024.style_transfer(picture(0), picture(1), encoder=encoder, steps="slow")
