"""Histogram losses against numpy, and the levels of the recipe."""

import inspect

import numpy as np
import pytest
import torch

from pystyle.encoders import vgg19
from pystyle.papers import risser_2017

LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
WEIGHTS = [2e9, 5e8, 1e8, 3.5e7, 3.5e7]
TABLE = dict(zip(LAYERS, WEIGHTS, strict=True))


def remapped(features, target):
    """R(O): the values of the texture in the order of the image's, by ranks."""
    found = np.empty_like(features)
    for channel in range(len(features)):
        ranks = np.argsort(np.argsort(features[channel], kind="stable"), kind="stable")
        found[channel] = np.sort(target[channel])[ranks]
    return found


def loss(encoder, texture, image, gram_layers=LAYERS, histogram_weights=TABLE):
    layers = {*gram_layers, *histogram_weights}
    wanted, found = encoder(texture, layers), encoder(image, layers)
    total = 0.0
    for layer in layers:
        x, y = found[layer][0].flatten(1), wanted[layer][0].flatten(1)
        if layer in gram_layers:
            total = total + torch.nn.functional.mse_loss(x @ x.T, y @ y.T)
        if layer in histogram_weights:
            constant = torch.from_numpy(remapped(x.detach().numpy(), y.numpy()))
            total = total + histogram_weights[layer] * torch.nn.functional.mse_loss(x, constant)
    return total


def test_the_loss_is_that_of_the_code(exact_encoder, picture, check_formula):
    texture, image = picture(0), picture(1)
    check_formula(
        risser_2017.criterion(exact_encoder, size=(32, 48)),
        {"style": texture},
        image,
        lambda image: loss(exact_encoder, texture, image),
    )


@pytest.mark.parametrize(
    ("options", "gram_layers", "weights"),
    [
        ({"histogram_layers": ["relu1_1", "relu4_1"]}, LAYERS, {"relu1_1": 2e9, "relu4_1": 3.5e7}),
        (
            {"gram_layers": "relu2_2", "histogram_layers": "relu3_3", "histogram_weights": [5.0]},
            ["relu2_2"],
            {"relu3_3": 5.0},
        ),
        ({"histogram_weights": (0.0,) * 5}, LAYERS, {}),
    ],
)
def test_the_layers_of_both_losses_may_be_others(
    exact_encoder, picture, check_formula, options, gram_layers, weights
):
    texture, image = picture(0), picture(1)
    check_formula(
        risser_2017.criterion(exact_encoder, size=(32, 48), **options),
        {"style": texture},
        image,
        lambda image: loss(exact_encoder, texture, image, gram_layers, weights),
    )


def test_layers_and_smoothness_reach_every_level(encoder, picture):
    texture = picture(0, 64, 64, torch.float32)
    levels = risser_2017.texture_synthesis(
        texture, encoder=encoder, scales=(0.5, 1.0), num_steps=0, gram_layers="relu2_1",
        histogram_layers="relu1_1", smoothness=3.0,
    )  # fmt: skip
    for level in levels:
        assert {"gram.relu2_1", "histogram.relu1_1", "smoothness.image"} <= set(level.history)
        assert "gram.relu1_1" not in level.history
        corner, right, below = (
            level.image[..., rows, columns]
            for rows, columns in (
                (slice(None, -1), slice(None, -1)),
                (slice(None, -1), slice(1, None)),
                (slice(1, None), slice(None, -1)),
            )
        )
        roughness = ((right - corner).square() + (below - corner).square()).mean()
        if level is levels[1]:  # The first begins beyond [0, 1], where its picture is clipped.
            assert float(level.history["smoothness.image"][0]) == pytest.approx(
                3 * float(roughness), rel=1e-4
            )
    assert "smoothness" not in risser_2017.criterion(encoder).losses


def test_the_numbers_are_those_of_the_code():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(risser_2017.texture_synthesis).parameters.items()
    }
    histogram = risser_2017.criterion(vgg19(weights=None)).losses["histogram"]
    assert list(histogram.layer_weights.values()) == WEIGHTS
    assert (defaults["scales"], defaults["num_steps"]) == ((0.25, 0.5, 1.0), 1000)
    assert defaults["optimizer"].func is torch.optim.Adam
    assert defaults["optimizer"].keywords == {"lr": 0.05}


def test_levels_grow_and_lower_the_loss(encoder, picture):
    texture = picture(0, 48, 48, torch.float32)
    levels = risser_2017.texture_synthesis(texture, encoder=encoder, scales=(2 / 3, 1.0), num_steps=5)
    assert [level.image.shape[2] for level in levels] == [32, 48]
    for level in levels:
        assert bool(level.image.isfinite().all())
        assert level.history["total"][-1] < level.history["total"][0]


def test_a_level_begins_with_the_nearest_pixels_of_the_one_before(encoder, picture):
    texture = picture(0, 64, 64, torch.float32)
    coarse, fine = risser_2017.texture_synthesis(texture, encoder=encoder, scales=(0.5, 1.0), num_steps=0)
    assert torch.equal(fine.image[..., ::2, ::2], coarse.image)
    assert torch.equal(fine.image[..., 1::2, 1::2], coarse.image)


def test_there_is_one_weight_for_each_layer(encoder):
    with pytest.raises(ValueError, match="one weight for each of 5 layers, got 2"):
        risser_2017.criterion(encoder, histogram_weights=(1.0, 2.0))
    with pytest.raises(ValueError, match="`histogram_weights` must be given for other `histogram_layers`"):
        risser_2017.criterion(encoder, histogram_layers=["relu1_2"])


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        ((), "`scales` must have the size of one level at least"),
        ((0.5, 0.0), r"`scales\[1\]` must be positive"),
    ],
)
def test_levels_without_a_size_are_refused(encoder, picture, scales, message):
    with pytest.raises(ValueError, match=message):
        risser_2017.texture_synthesis(picture(0, dtype=torch.float32), encoder=encoder, scales=scales)
