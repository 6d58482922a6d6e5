"""Texture synthesis against the equations of the paper, written with loops."""

import pytest
import torch

from pystyle.encoders import vgg11
from pystyle.papers import gatys_2015
from pystyle.testing import check_loss

LAYERS = ["relu1_1", "pool1", "pool2", "pool3", "pool4"]


def texture_loss(encoder, texture, image, weight, layers=LAYERS):
    """Equations 1 to 5, with sums."""
    wanted, found = encoder(texture, layers), encoder(image, layers)
    total = 0.0
    for layer in layers:
        maps = [features[layer][0].flatten(1) for features in (found, wanted)]
        n, m = maps[0].shape
        grams = [features @ features.T for features in maps]
        total = total + weight * (grams[0] - grams[1]).square().sum() / (4 * n**2 * m**2)
    return total


@pytest.mark.parametrize(("variant", "weight"), [("paper", 1.0), ("code", 1e9)])
def test_the_loss_is_equation_5(exact_averaging_encoder, picture, check_formula, variant, weight):
    texture, image = picture(0), picture(1)
    check_formula(
        gatys_2015.criterion(exact_averaging_encoder, variant=variant),
        {"style": texture},
        image,
        lambda image: texture_loss(exact_averaging_encoder, texture, image, weight),
    )


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_plain_averages_round_sizes_as_the_poolings_of_the_encoder(ceil_mode):
    given = vgg11(weights=None, ceil_mode=ceil_mode)
    image = torch.rand(1, 3, 9, 7)
    found = gatys_2015.average_pooling(given)(image, ["relu1_1", "pool1"])
    assert found["pool1"].shape[2:] == ((5, 4) if ceil_mode else (4, 3))
    expected = torch.nn.functional.avg_pool2d(found["relu1_1"], 2, ceil_mode=ceil_mode)
    torch.testing.assert_close(found["pool1"], expected)


@pytest.mark.parametrize("layers", [LAYERS[:1], LAYERS[:3], ["relu3_2", "conv2_2"]])
def test_the_layers_may_be_others(exact_averaging_encoder, picture, check_formula, layers):
    texture, image = picture(0), picture(1)
    check_formula(
        gatys_2015.criterion(exact_averaging_encoder, layers=layers),
        {"style": texture},
        image,
        lambda image: texture_loss(exact_averaging_encoder, texture, image, 1e9, layers),
    )
    result = gatys_2015.texture_synthesis(
        texture, encoder=exact_averaging_encoder, layers=layers, num_steps=0
    )
    assert set(result.history) >= {f"texture.{layer}" for layer in layers}
    assert "texture.pool4" not in result.history


def reduced_loss(encoder, texture, image, count):
    """Equation 5 for the features along the first right singular vectors of the texture's."""
    wanted, found = encoder(texture, LAYERS), encoder(image, LAYERS)
    total = 0.0
    for layer in LAYERS:
        maps = [features[layer][0].flatten(1).T for features in (found, wanted)]
        _, _, axes = torch.linalg.svd(maps[1])
        grams = [(features @ axes[:count].T).T @ (features @ axes[:count].T) for features in maps]
        m = [len(features) for features in maps]
        total = total + 1e9 / 4 * (grams[0] / m[0] - grams[1] / m[1]).square().mean()
    return total


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3, 8])
def test_gram_matrices_may_be_those_of_the_first_components(
    exact_averaging_encoder, picture, check_formula, count
):
    texture, image = picture(0, 48, 48), picture(1)
    check_formula(
        gatys_2015.criterion(exact_averaging_encoder, num_components=count),
        {"style": texture},
        image,
        lambda image: reduced_loss(exact_averaging_encoder, texture, image, count),
    )


def test_all_components_are_as_good_as_the_channels(exact_averaging_encoder, picture):
    texture, image = picture(0), picture(1)
    plain, turned = (
        gatys_2015.criterion(exact_averaging_encoder, num_components=count).bind({"style": texture})(image)
        for count in (None, 512)
    )
    torch.testing.assert_close(turned.total, plain.total, rtol=1e-8, atol=0)


def test_the_loss_of_components_is_a_loss_and_reaches_the_run(encoder, picture):
    check_loss(gatys_2015.ReducedGramLoss("relu", num_components=3))
    with pytest.raises(ValueError, match="`num_components` must be at least 1, got 0"):
        gatys_2015.ReducedGramLoss("relu", num_components=0)
    texture = picture(0, 32, 32, torch.float32)
    chosen = {"variant": "paper", "layers": "pool1", "num_components": 8}
    result = gatys_2015.texture_synthesis(texture, encoder=encoder, num_steps=0, **chosen)
    noise = gatys_2015.normal_noise((32, 32), like=texture).clamp(float(texture.min()), float(texture.max()))
    expected = gatys_2015.criterion(encoder, **chosen).bind({"style": texture})(noise).total
    assert float(result.history["texture.pool1"][0]) == pytest.approx(float(expected), rel=1e-4)


def test_deep_textures_writes_the_same_number_in_another_way(exact_averaging_encoder, picture):
    texture, image = picture(0), picture(1)
    layers = ["relu1_1", "pool1", "pool2", "pool3", "pool4"]
    wanted, found = exact_averaging_encoder(texture, layers), exact_averaging_encoder(image, layers)
    total = 0.0
    for layer in layers:
        grams = [f[layer][0].flatten(1) for f in (found, wanted)]
        grams = [features @ features.T / features.shape[1] for features in grams]
        total += 1e9 / 4 * float((grams[0] - grams[1]).square().sum()) / grams[0].shape[0] ** 2
    ours = gatys_2015.criterion(exact_averaging_encoder).bind({"style": texture})(image).total
    assert float(ours) == pytest.approx(total, rel=1e-10)


def test_average_pooling_is_the_plain_mean(encoder):
    pool = gatys_2015.average_pooling(encoder).stages["pool3"]
    assert float(pool(torch.tensor([[[[0.0, 1.0], [2.0, 5.0]]]]))) == 2.0
    assert gatys_2015.average_pooling(encoder).stages["conv3_1"] is encoder.stages["conv3_1"]


def test_noise_has_the_scale_of_the_levels_of_a_picture():
    noise = gatys_2015.normal_noise((64, 64), like=torch.zeros(()), seed=3)
    levels = 255 * noise - torch.tensor([123.68, 116.779, 103.939]).reshape(1, 3, 1, 1)
    assert abs(float(levels.mean())) < 0.05
    assert float(levels.std()) == pytest.approx(1, abs=0.02)


def test_a_short_synthesis_lowers_the_loss_within_the_values_of_the_texture(encoder, picture):
    texture = 0.2 + 0.5 * picture(0, 32, 32, torch.float32)
    result = gatys_2015.texture_synthesis(texture, encoder=encoder, variant="paper", num_steps=15)
    history = result.history["total"]
    assert result.stop_reason == "finished"
    assert history[-1] < history[0] / 2
    assert float(texture.min()) <= float(result.image.min())
    assert float(result.image.max()) <= float(texture.max())


def test_the_code_matches_the_histograms_in_the_end(encoder, picture):
    texture = picture(0, 32, 32, torch.float32)
    result = gatys_2015.texture_synthesis(texture, encoder=encoder, num_steps=2)
    means = [image.mean((0, 2, 3)) for image in (result.image, texture)]
    torch.testing.assert_close(means[0], means[1], atol=2e-3, rtol=0)


def test_a_texture_of_one_colour_is_found(encoder):
    texture = torch.full((1, 3, 32, 32), 0.5)
    result = gatys_2015.texture_synthesis(texture, encoder=encoder, variant="paper", num_steps=2)
    assert bool(result.image.isfinite().all())


def test_an_unknown_variant_is_refused(encoder):
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'Paper'"):
        gatys_2015.criterion(encoder, variant="Paper")
