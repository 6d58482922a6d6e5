"""WGAN-GP: the critic layer by layer, its game, and its penalty."""

import copy
import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from pystyle.networks import ResNetGenerator
from pystyle.papers import gulrajani_2017
from pystyle.training import train


@pytest.fixture
def critic():
    torch.manual_seed(0)
    critic = gulrajani_2017.discriminator(width=2).double()
    for weight in critic.parameters():
        weight.data.normal_(0, 0.3)
    return critic


def test_the_critic_has_the_number_of_weights_of_the_code():
    widths = (64, 128, 256, 512, 512)
    expected = 64 * (27 + 1) + 4 * 4 * 512 + 1
    for i, o in pairwise(widths):
        # Two normalisations, two convolutions of which the first has no biases, and the one beside them.
        expected += 4 * i + 9 * i * i + (9 * i + 1) * o + (i + 1) * o
    assert sum(p.numel() for p in gulrajani_2017.discriminator().parameters()) == expected == 7_491_841


@pytest.mark.parametrize("size", [(64, 64), (80, 101)])
def test_the_critic_is_that_of_the_code(critic, size):
    image = torch.rand(2, 3, *size, dtype=torch.float64)

    def normalized(x, layer):
        mean, variance = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), keepdim=True, correction=0)
        return (x - mean) / (variance + 1e-5).sqrt() * layer.weight[:, None, None] + layer.bias[:, None, None]

    def half(x):
        x = x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
        return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4

    x = F.conv2d(2 * image - 1, critic.first.weight, critic.first.bias, padding=1)
    for block in critic.blocks:
        assert block.first.bias is None
        hidden = F.conv2d(F.relu(normalized(x, block.first_norm)), block.first.weight, padding=1)
        hidden = F.relu(normalized(hidden, block.second_norm))
        found = half(F.conv2d(hidden, block.second.weight, block.second.bias, padding=1))
        x = found + F.conv2d(half(x), block.shortcut.weight, block.shortcut.bias)
    # A linear layer, here for each window.
    windows = F.unfold(x, 4)
    scores = torch.einsum("c,bcw->bw", critic.last.weight.flatten(), windows) + critic.last.bias
    assert scores.shape[1] == (size[0] // 16 - 3) * (size[1] // 16 - 3)
    torch.testing.assert_close(critic(image).flatten(1), scores)


def test_weights_begin_uniform_and_biases_at_zero():
    torch.manual_seed(0)
    critic = gulrajani_2017.discriminator(width=16)
    block = critic.blocks[2]
    for layer, fans, gain in (
        (block.first, 9 * (64 + 64), 2),
        (block.second, 9 * (64 + 128), 2),
        (block.shortcut, 64 + 128, 1),
        (critic.last, 128 * 16 + 1, 1),
    ):
        bound = math.sqrt(6 * gain / fans)
        assert 0.95 * bound < float(layer.weight.abs().max().detach()) <= bound * (1 + 1e-6)
        assert float(layer.weight.detach().std()) == pytest.approx(bound / math.sqrt(3), rel=0.05)
        assert layer.bias is None or not layer.bias.any()


def test_an_image_is_judged_by_itself(critic):
    images = torch.rand(3, 3, 64, 64, dtype=torch.float64)
    singles = torch.cat([critic(image[None]) for image in images])
    torch.testing.assert_close(critic(images), singles)


def test_the_loss_of_the_pictures_is_the_mean_score_with_its_sign_changed(critic, picture, check_formula):
    criterion = gulrajani_2017.criterion(critic)
    references = {"content": picture(0, 64, 80), "style": picture(1, 64, 80)}
    check_formula(criterion, references, picture(2, 64, 80), lambda image: -critic(image).mean())


def test_settings_are_those_of_the_table():
    options = gulrajani_2017.training()
    adversary = options["adversaries"]["adversarial"]
    assert (adversary.num_steps, adversary.gradient_penalty, adversary.real_penalty) == (5, 10.0, 0.0)
    for optimizer in (options["optimizer"], adversary.optimizer):
        made = optimizer([torch.nn.Parameter(torch.zeros(1))])
        assert (type(made), made.defaults["lr"]) == (torch.optim.Adam, 1e-4)
        assert made.defaults["betas"] == (0.0, 0.9)
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (200_000, 64, 64)
    assert {options["learning_rate"](fraction) for fraction in (0.0, 0.5, 1.0)} == {1.0}


def test_a_training_moves_network_and_critic_and_writes_gap_and_penalty_down():
    torch.manual_seed(0)
    network = ResNetGenerator(width=2, num_blocks=1)
    criterion = gulrajani_2017.criterion(gulrajani_2017.discriminator(width=2))
    before = [copy.deepcopy(module.state_dict()) for module in (network, criterion)]
    images = torch.rand(4, 3, 64, 64)
    options = {**gulrajani_2017.training(num_steps=2), "batch_size": 2}
    result = train(network, criterion, contents=images, styles=images.flip(0), **options)
    assert result.stop_reason == "finished"
    for module, old in zip((network, criterion), before, strict=True):
        for name, weight in module.state_dict().items():
            # Adam moves each weight by its rate, whatever the length of its gradient.
            assert not torch.equal(weight, old[name]) or name.endswith("bias"), name
    assert float(result.history["adversarial.penalty"][0]) > 0
    assert "adversarial.discriminator" in result.history


def test_what_does_not_fit_is_refused(critic):
    with pytest.raises(ValueError, match="sides of at least 64 pixels, got 64 x 63"):
        critic(torch.rand(1, 3, 64, 63, dtype=torch.float64))
    with pytest.raises(ValueError, match="`width` must"):
        gulrajani_2017.discriminator(width=0)
