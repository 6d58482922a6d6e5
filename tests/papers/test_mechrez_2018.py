"""The contextual loss against the equations of the paper, with loops over positions."""

import math

import pytest
import torch

from pystyle.papers import mechrez_2018

STYLE = ["relu3_2", "relu4_2"]


def contextual(x, y, h, halved=False):
    """Equations 1 to 5; x and y are (positions, channels)."""
    center = y.mean(0)
    rows = []
    for i in range(len(x)):
        a = (x[i] - center) / (x[i] - center).norm()
        cosines = torch.stack([a @ ((y[j] - center) / (y[j] - center).norm()) for j in range(len(y))])
        distances = (1 - cosines) / 2 if halved else 1 - cosines
        relative = distances / (distances.min() + 1e-5)
        weights = torch.exp((1 - relative) / h)
        rows.append(weights / weights.sum())
    return -torch.stack(rows).max(0).values.mean().log()


def total(encoder, content, style, image, of_content, of_style, contents=("relu4_2",), styles=STYLE):
    found = encoder(image, [*contents, *styles])
    painting, photo = encoder(style, styles), encoder(content, contents)

    def vectors(features):
        return features[0].flatten(1).T

    loss = sum(contextual(vectors(found[layer]), vectors(photo[layer]), of_content) for layer in contents)
    for layer in styles:
        loss = loss + contextual(vectors(found[layer]), vectors(painting[layer]), of_style)
    return loss


@pytest.mark.parametrize(("variant", "bandwidths"), [("paper", (0.1, 0.2)), ("code", (0.5, 0.5))])
def test_the_loss_is_equation_5(exact_encoder, picture, check_formula, variant, bandwidths):
    content, style, image = (picture(seed, 16, 24) for seed in range(3))
    check_formula(
        mechrez_2018.criterion(exact_encoder, variant=variant, smoothness=0.0),
        {"content": content, "style": style},
        image,
        lambda image: total(exact_encoder, content, style, image, *bandwidths),
    )


def test_layers_and_bandwidths_may_be_others(exact_encoder, picture, check_formula):
    content, style, image = (picture(seed, 16, 24) for seed in range(3))
    contents, styles = ["relu3_1", "relu4_1"], ["relu3_3"]
    criterion = mechrez_2018.criterion(
        exact_encoder,
        content_layers=contents,
        style_layers=styles[0],
        content_bandwidth=0.3,
        style_bandwidth=0.7,
        smoothness=0.0,
    )
    check_formula(
        criterion,
        {"content": content, "style": style},
        image,
        lambda image: total(exact_encoder, content, style, image, 0.3, 0.7, contents, styles),
    )


def test_layers_and_bandwidths_reach_the_run(encoder, picture):
    content, style = picture(0, 40, 32, torch.float32), picture(1, 48, 32, torch.float32)
    totals = []
    for bandwidth in (None, 0.2, 0.9):
        result = mechrez_2018.style_transfer(
            content, style, encoder=encoder, edge_size=32, num_steps=0, content_layers="relu4_1",
            style_layers="relu4_3", style_bandwidth=bandwidth,
        )  # fmt: skip
        assert {"content.relu4_1", "style.relu4_3"} <= set(result.history)
        totals.append(float(result.history["style.relu4_3"][0]))
    assert totals[0] == totals[1] != totals[2]
    with pytest.raises(ValueError, match="`bandwidth` must be positive"):
        mechrez_2018.criterion(encoder, content_bandwidth=0.0)


def test_the_total_variation_is_that_of_levels_up_to_255(exact_encoder, picture):
    content, style, image = (picture(seed, 16, 24) for seed in range(3))
    terms = mechrez_2018.criterion(exact_encoder).bind({"content": content, "style": style})(image)
    levels = 255 * image
    down, right = levels[:, :, 1:] - levels[:, :, :-1], levels[..., 1:] - levels[..., :-1]
    expected = 1e-4 * (down.square().mean() + right.square().mean())
    assert float(terms["smoothness.image"]) == pytest.approx(float(expected))


def test_halved_distances_change_next_to_nothing():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.rand(8, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    assert float(contextual(x, y, 0.5, halved=True)) == pytest.approx(float(contextual(x, y, 0.5)), rel=2e-3)


def test_the_image_itself_has_the_least_loss(exact_encoder, picture):
    image = picture(0, 16, 24)
    objective = mechrez_2018.criterion(exact_encoder, smoothness=0.0).bind({"content": image, "style": image})
    own = float(objective(image).total)
    assert 0 <= own < 1e-3
    assert float(objective(picture(1, 16, 24)).total) > 0.5


def test_the_bandwidths_are_those_of_the_sources(encoder):
    for variant, expected in (("paper", (0.1, 0.2)), ("code", (0.5, 0.5))):
        losses = mechrez_2018.criterion(encoder, variant=variant).losses
        assert (losses["content"].bandwidth, losses["style"].bandwidth) == expected
    assert losses["content"].layers == ("relu4_2",)
    assert losses["style"].layers == ("relu3_2", "relu4_2")


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_a_short_run_lowers_the_loss(encoder, picture, variant):
    content, style = picture(0, 40, 32, torch.float32), picture(1, 48, 32, torch.float32)
    result = mechrez_2018.style_transfer(
        content, style, encoder=encoder, variant=variant, edge_size=32, num_steps=6
    )
    assert bool(result.image.isfinite().all())
    assert math.isfinite(result.history["total"][-1])
    assert min(result.history["total"]) < result.history["total"][0]


def test_an_unknown_variant_is_refused(encoder):
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'tf'"):
        mechrez_2018.criterion(encoder, variant="tf")
