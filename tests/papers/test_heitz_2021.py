"""Sliced Wasserstein textures against numpy with seeded directions."""

import inspect

import numpy as np
import pytest
import torch

from pystyle.functional import random_directions
from pystyle.papers import heitz_2021

LAYERS = [
    f"relu{block}_{index}"
    for block, count in ((1, 2), (2, 2), (3, 4), (4, 4))
    for index in range(1, count + 1)
]


def loss(encoder, texture, image, seed, layers=LAYERS, num_directions=None):
    """Equations 5 to 8: project, sort, subtract. The draws follow the layers, as in the criterion."""
    wanted, found = encoder(texture, layers), encoder(image, layers)
    generator = torch.Generator().manual_seed(seed)
    total = 0.0
    for layer in layers:
        x, y = found[layer][0].flatten(1), wanted[layer][0].flatten(1)
        count = num_directions or x.shape[0]
        directions = random_directions(count, x.shape[0], generator=generator).double()
        numbers, targets = directions @ x, directions @ y
        order = torch.from_numpy(np.argsort(numbers.detach().numpy(), axis=1))
        numbers = numbers.gather(1, order)
        targets = torch.from_numpy(np.sort(targets.numpy(), axis=1))
        total = total + ((numbers - targets) ** 2).sum() / numbers.numel()
    return total


def test_the_loss_is_equation_8(exact_averaging_encoder, picture, check_formula):
    texture, image = picture(0), picture(1)
    check_formula(
        heitz_2021.criterion(exact_averaging_encoder, seed=7),
        {"style": texture},
        image,
        lambda image: loss(exact_averaging_encoder, texture, image, 7),
    )


@pytest.mark.parametrize(("layers", "num_directions"), [(LAYERS, 5), (["relu2_2", "relu4_1"], None)])
def test_layers_and_the_number_of_directions_may_be_others(
    exact_averaging_encoder, picture, check_formula, layers, num_directions
):
    texture, image = picture(0), picture(1)
    check_formula(
        heitz_2021.criterion(exact_averaging_encoder, layers=layers, num_directions=num_directions, seed=7),
        {"style": texture},
        image,
        lambda image: loss(exact_averaging_encoder, texture, image, 7, layers, num_directions),
    )


def test_layers_and_directions_reach_the_run(exact_encoder, picture):
    texture = picture(0)
    totals = [
        heitz_2021.texture_synthesis(
            texture, encoder=exact_encoder, layers="relu2_1", num_directions=count, num_steps=0
        ).history["texture.relu2_1"][0]
        for count in (None, 128, 3)
    ]
    # 128 are the channels.
    assert totals[0] == totals[1] != totals[2]
    with pytest.raises(ValueError, match="`num_directions` must be at least 1, got 0"):
        heitz_2021.criterion(exact_encoder, num_directions=0)


def test_the_loss_of_an_arrangement_of_the_same_vectors_is_zero(exact_encoder, picture):
    texture = picture(0, 32, 32)
    criterion = heitz_2021.criterion(exact_encoder)
    layer = criterion.losses["texture"]
    features = exact_encoder(texture, ["relu2_1"])["relu2_1"]
    turned = features.flip(2).mT
    zero = layer.compare(layer.represent(turned), layer.prepare(layer.represent(features)))
    assert float(zero) < 1e-20
    other = layer.compare(layer.represent(turned * 1.001), layer.prepare(layer.represent(features)))
    assert float(other) > 1e-9


def test_the_directions_are_new_at_each_evaluation(exact_encoder, picture):
    texture, image = picture(0), picture(1)
    fresh = heitz_2021.criterion(exact_encoder).bind({"style": texture})
    assert float(fresh(image).total) != float(fresh(image).total)
    held = heitz_2021.criterion(exact_encoder, resample=False).bind({"style": texture})
    assert float(held(image).total) == float(held(image).total)


def test_the_numbers_are_those_of_the_code(encoder):
    assert list(heitz_2021.criterion(encoder).losses["texture"].layers) == LAYERS
    parameters = inspect.signature(heitz_2021.texture_synthesis).parameters
    assert parameters["num_steps"].default == 4096
    assert parameters["optimizer"].default.keywords == {"history_size": 100, "initial_step": None}


def test_the_start_is_the_mean_colour_and_a_little_noise(encoder, picture):
    texture = picture(0, 32, 32, torch.float32)
    start = heitz_2021.texture_synthesis(texture, encoder=encoder, num_steps=0).image
    torch.testing.assert_close(start.mean((2, 3)), texture.mean((2, 3)), atol=2e-3, rtol=0)
    assert float(start.std(dim=(2, 3)).mean()) == pytest.approx(0.01, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("resample", [True, False])
def test_a_short_run_lowers_the_loss_for_another_size(encoder, picture, resample):
    texture = picture(0, 32, 32, torch.float32)
    result = heitz_2021.texture_synthesis(
        texture, encoder=encoder, size=(32, 40), num_steps=12, resample=resample
    )
    assert result.image.shape[2:] == (32, 40)
    assert bool(result.image.isfinite().all())
    assert result.history["total"][-1] < 0.8 * result.history["total"][0]
