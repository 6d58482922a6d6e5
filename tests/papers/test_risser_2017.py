"""Histogram losses against numpy, and the levels of the recipe."""

import inspect

import numpy as np
import pytest
import torch

from pystyle.papers import risser_2017

LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
WEIGHTS = [2e9, 5e8, 1e8, 3.5e7, 3.5e7]


def remapped(features, target):
    """R(O): the values of the texture in the order of the image's, by ranks."""
    found = np.empty_like(features)
    for channel in range(len(features)):
        ranks = np.argsort(np.argsort(features[channel], kind="stable"), kind="stable")
        found[channel] = np.sort(target[channel])[ranks]
    return found


def loss(encoder, texture, image):
    wanted, found = encoder(texture, LAYERS), encoder(image, LAYERS)
    total = 0.0
    for layer, weight in zip(LAYERS, WEIGHTS, strict=True):
        x, y = found[layer][0].flatten(1), wanted[layer][0].flatten(1)
        constant = torch.from_numpy(remapped(x.detach().numpy(), y.numpy()))
        total = total + torch.nn.functional.mse_loss(x @ x.T, y @ y.T)
        total = total + weight * torch.nn.functional.mse_loss(x, constant)
    return total


def test_the_loss_is_that_of_the_code(exact_encoder, picture, check_formula):
    texture, image = picture(0), picture(1)
    check_formula(
        risser_2017.criterion(exact_encoder, size=(32, 48)),
        {"style": texture},
        image,
        lambda image: loss(exact_encoder, texture, image),
    )


def test_the_numbers_are_those_of_the_code():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(risser_2017.texture_synthesis).parameters.items()
    }
    assert defaults["histogram_weights"] == tuple(WEIGHTS)
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
