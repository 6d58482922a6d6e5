"""Crowson's recipe against its formulas and numbers."""

import inspect

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss, pad

from pystyle.encoders import SequentialEncoder
from pystyle.papers import crowson_2022

STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
CAFFE = {
    "relu1_1": 0.02408, "relu2_1": 0.01704, "relu3_1": 0.02289,
    "relu4_1": 0.003668, "relu5_1": 0.02239, "relu4_2": 0.004964,
}  # fmt: skip


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def nine_points(image):
    """Differences to all eight neighbours of the image continued by its border, axes 4 times as strong."""
    wide = pad(image, (1, 1, 1, 1), mode="replicate")
    total = 2 / 3 * (wide[..., 1:] - wide[..., :-1]).square().mean()
    total = total + 2 / 3 * (wide[..., 1:, :] - wide[..., :-1, :]).square().mean()
    total = total + 1 / 6 * (wide[..., 1:, 1:] - wide[..., :-1, :-1]).square().mean()
    return total + 1 / 6 * (wide[..., 1:, :-1] - wide[..., :-1, 1:]).square().mean()


def wasserstein(x, y, ridge):
    """The distance of two Gaussians with a ridge on both covariances, over the channels."""
    (a, mean_a), (b, mean_b) = ((torch.cov(f, correction=0), f.mean(1)) for f in (x, y))
    eye = ridge * torch.eye(len(a), dtype=a.dtype)
    a, b = a + eye, b + eye
    half = root(b)
    bures = (a + b).trace() - 2 * torch.linalg.eigvalsh(half @ a @ half).clamp_min(0).sqrt().sum()
    return ((mean_a - mean_b).square().sum() + bures) / len(a)


def small_encoder():
    """Named like the layers of a VGG-19, with so few channels that every covariance has full rank."""
    generator = torch.Generator().manual_seed(0)
    stages, inputs = {}, 3
    for layer in ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"):
        convolution = nn.Conv2d(inputs, 4, 3, padding=1)
        nn.init.orthogonal_(convolution.weight, gain=3, generator=generator)
        nn.init.normal_(convolution.bias, std=0.1, generator=generator)
        stages[layer.replace("relu", "conv")] = convolution
        stages[layer] = nn.Softplus()
        inputs = 4
    return SequentialEncoder(stages).double()


@pytest.mark.parametrize("network", ["torchvision", "caffe"])
def test_the_loss_is_that_of_the_code(picture, check_formula, network):
    encoder = small_encoder()
    content, style, image = (picture(seed) for seed in range(3))
    scale = CAFFE if network == "caffe" else dict.fromkeys(CAFFE, 1.0)
    targets = {layer: f[0].flatten(1) for layer, f in encoder(style, STYLE).items()}

    def formula(image):
        found = encoder(image, ["relu4_2", *STYLE])
        total = (
            0.015
            * scale["relu4_2"] ** 2
            * mse_loss(found["relu4_2"], encoder(content, ["relu4_2"])["relu4_2"])
        )
        for layer, weight in zip(STYLE, (256, 64, 16, 4, 1), strict=True):
            target = targets[layer]
            # The ridge of `WassersteinLoss`, not Crowson's 1e-4.
            ridge = 1e-4 * float(target.var(1, correction=0).mean())
            distance = wasserstein(found[layer][0].flatten(1), target, ridge)
            total = total + weight / 341 * scale[layer] ** 2 * distance
        return total + 2 * nine_points(image)

    criterion = crowson_2022.criterion(encoder, network=network)
    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_weights_may_be_others(encoder, picture):
    losses = crowson_2022.criterion(
        encoder, content_weight=0.5, style_weights=(1, 2, 3, 4, 5), smoothness=7.0
    ).losses
    assert (losses["content"].weight, losses["smoothness"].weight) == (0.5, 7.0)
    assert list(losses["style"].layer_weights.values()) == [1, 2, 3, 4, 5]
    content = picture(0, 32, 40, torch.float32)
    result = crowson_2022.style_transfer(
        content, content, encoder=encoder, edge_size=32, smallest=32, num_steps=(0, 0),
        content_weight=0.0, style_weights=(0,) * 5, smoothness=0.0,
    )  # fmt: skip
    assert result.history["total"][0] == 0
    with pytest.raises(ValueError, match="`style_weights` must have one weight for each of 5 layers, got 2"):
        crowson_2022.criterion(encoder, style_weights=(1.0, 2.0))


def test_the_numbers_are_those_of_the_code():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(crowson_2022.style_transfer).parameters.items()
    }
    assert (defaults["edge_size"], defaults["smallest"], defaults["num_steps"]) == (512, 128, (1000, 500))
    assert defaults["averaging"] == 0.99
    assert defaults["optimizer"].func is torch.optim.Adam
    assert defaults["optimizer"].keywords == {"lr": 0.02, "betas": (0.9, 0.99)}
    assert sum(crowson_2022.STYLE_WEIGHTS) == pytest.approx(1)


def test_the_first_convolution_alone_replicates_the_border(encoder, picture):
    replicating = crowson_2022.replicating_first_convolution(encoder)
    image = picture(0, 32, 32, torch.float32)
    inside = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    ours, usual = (each(image, ["conv1_1"])["conv1_1"] for each in (replicating, encoder))
    torch.testing.assert_close(ours[inside], usual[inside], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(ours[..., 0], usual[..., 0], atol=1e-3)
    assert replicating.stages["conv1_2"] is encoder.stages["conv1_2"]


def test_levels_grow_by_the_root_of_two_and_lower_the_loss(encoder, picture):
    content, style = picture(0, 48, 48, torch.float32), picture(1, 48, 48, torch.float32)
    result = crowson_2022.style_transfer(
        content, style, encoder=encoder, edge_size=32, smallest=20, num_steps=(3, 2)
    )
    assert [result.history["edge_size"].count(size) for size in (23, 32)] == [4, 3]
    assert bool(result.image.isfinite().all())
    assert min(result.history["total"]) < result.history["total"][0]


def test_the_result_is_an_average_of_the_iterates(encoder, picture):
    content, style = picture(0, 24, 24, torch.float32), picture(1, 24, 24, torch.float32)
    pictures = [
        crowson_2022.style_transfer(
            content, style, encoder=encoder, edge_size=24, smallest=24, num_steps=(2, 0), averaging=averaging
        ).image
        for averaging in (0.0, 0.99)
    ]
    # Adam's first steps have nearly the full length, so the mean of two iterates is half a step back.
    assert 1e-3 < float((pictures[0] - pictures[1]).abs().mean()) < 0.011


def test_an_unknown_network_is_refused(encoder):
    with pytest.raises(ValueError, match="`network` must be 'torchvision' or 'caffe', got 'vgg'"):
        crowson_2022.criterion(encoder, network="vgg")


def test_a_replicating_first_convolution_draws_nothing_and_has_weights_of_its_own():
    encoder = small_encoder()
    state = torch.get_rng_state()
    found = crowson_2022.replicating_first_convolution(encoder)
    assert torch.equal(torch.get_rng_state(), state)
    first, old = found.stages["conv1_1"], encoder.stages["conv1_1"]
    assert torch.equal(first.weight, old.weight)
    assert torch.equal(first.bias, old.bias)
    assert first.weight.data_ptr() != old.weight.data_ptr()
    image = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    expected = torch.nn.functional.conv2d(pad(image, (1, 1, 1, 1), mode="replicate"), old.weight, old.bias)
    torch.testing.assert_close(first(image), expected)
