"""SAGAN's discriminator layer by layer, and the game at two rates."""

import copy
import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from pystyle.networks import ResNetGenerator
from pystyle.papers import zhang_2019
from pystyle.training import train


@pytest.fixture
def judge():
    torch.manual_seed(0)
    judge = zhang_2019.discriminator(width=4).double()
    judge.attention.gamma.data.fill_(0.7)
    for _ in range(50):
        judge(torch.rand(1, 3, 32, 32, dtype=torch.float64))
    return judge.eval()


def test_it_has_the_number_of_weights_of_the_code_without_classes():
    widths = [3, 64, 128, 256, 512, 1024, 1024]
    expected = 1024 + 1
    for i, o in pairwise(widths):
        expected += (9 * i + 1) * o + (9 * o + 1) * o + (0 if i == o else (i + 1) * o)
    # Queries, keys, values, the way back, and gamma.
    expected += 2 * 128 * 16 + 2 * 128 * 64 + 1
    found = zhang_2019.discriminator()
    assert sum(p.numel() for p in found.parameters()) == expected == 38_439_618


@pytest.mark.parametrize("size", [(32, 48), (64, 36)])
def test_it_is_the_network_of_the_code(judge, size):
    image = torch.rand(2, 3, *size, dtype=torch.float64)
    x = 2 * image - 1

    def convolved(x, layer):
        return F.conv2d(x, layer.weight, layer.bias, padding=layer.weight.shape[2] // 2)

    for index, block in enumerate(judge.blocks):
        hidden = convolved(x if index == 0 else F.relu(x), block.first)
        hidden = convolved(F.relu(hidden), block.second)
        if index < 5:
            # The first block has the mean first, the others the convolution.
            beside = F.avg_pool2d(convolved(x, block.shortcut), 2)
            x = F.avg_pool2d(hidden, 2) + beside
        else:
            x = x + hidden
        if index == 1:
            x = attended(x, judge.attention)
    scores = F.linear(F.relu(x).sum((2, 3)), judge.last.weight, judge.last.bias)
    torch.testing.assert_close(judge(image), scores)
    assert scores.shape == (2, 1)


def attended(x, layer):
    """A softmax over pooled places."""

    def by(part, x):
        return F.conv2d(x, part.weight)

    queries = by(layer.queries, x).flatten(2)
    keys, values = (
        F.max_pool2d(by(part, x), 2, ceil_mode=True).flatten(2) for part in (layer.keys, layer.values)
    )
    seen = values @ (queries.mT @ keys).softmax(2).mT
    return x + layer.gamma * by(layer.output, seen.unflatten(2, x.shape[2:]))


def test_every_layer_has_the_largest_singular_value_1(judge):
    layers = [layer for layer in judge.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == 3 * 6 - 1 + 4 + 1
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        torch.testing.assert_close(largest, torch.ones_like(largest), rtol=2e-2, atol=0)


def test_attention_changes_nothing_at_first_and_is_trained():
    torch.manual_seed(0)
    judge = zhang_2019.discriminator(width=4)
    assert judge.attention.channels == 8
    assert not judge.attention.gamma.any()
    judge(torch.rand(2, 3, 32, 32)).sum().backward()
    assert judge.attention.gamma.grad.any()


@pytest.mark.parametrize(("variant", "beta"), [("paper", 0.9), ("code", 0.999)])
def test_settings_are_those_of_the_table(variant, beta):
    options = zhang_2019.training(variant=variant)
    adversary = options["adversaries"]["adversarial"]
    rates = []
    for optimizer in (options["optimizer"], adversary.optimizer):
        made = optimizer([torch.nn.Parameter(torch.zeros(1))])
        assert (type(made), made.defaults["betas"]) == (torch.optim.Adam, (0.0, beta))
        rates.append(made.defaults["lr"])
    assert rates == [1e-4, 4e-4]
    assert (adversary.num_steps, adversary.gradient_penalty) == (1, 0.0)
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (1_000_000, 256, 128)
    assert {options["learning_rate"](fraction) for fraction in (0.0, 0.5, 1.0)} == {1.0}


def test_the_loss_of_the_pictures_is_that_of_the_hinge(judge, picture, check_formula):
    criterion = zhang_2019.criterion(judge)
    references = {"content": picture(0), "style": picture(1)}
    check_formula(criterion, references, picture(2), lambda image: -judge(image).mean())


def test_the_discriminator_has_a_hinge_in_a_training_that_moves_all():
    torch.manual_seed(0)
    network = ResNetGenerator(width=2, num_blocks=1)
    criterion = zhang_2019.criterion(zhang_2019.discriminator(width=2))
    before = [copy.deepcopy(dict(module.named_parameters())) for module in (network, criterion)]
    images = torch.rand(4, 3, 32, 32)
    options = {**zhang_2019.training(num_steps=3), "batch_size": 2, "crop_size": 32}
    result = train(network, criterion, contents=images, styles=images.flip(0), **options)
    assert result.stop_reason == "finished"
    for module, old in zip((network, criterion), before, strict=True):
        for name, weight in module.named_parameters():
            assert not torch.equal(weight, old[name]) or name.endswith("bias"), name
    # Scores of small weights are near 0, where both halves of the hinge are 1.
    assert math.isclose(float(result.history["adversarial.discriminator"][0]), 2.0, abs_tol=1.0)


def test_what_does_not_fit_is_refused(judge):
    with pytest.raises(ValueError, match="sides of at least 32 pixels, got 31 x 32"):
        judge(torch.rand(1, 3, 31, 32, dtype=torch.float64))
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'keras'"):
        zhang_2019.training(variant="keras")
    with pytest.raises(ValueError, match="`width` must"):
        zhang_2019.discriminator(width=0)
