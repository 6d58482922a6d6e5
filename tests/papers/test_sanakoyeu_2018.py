"""The network, the losses and the turns of the authors' code, written out."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pystyle.networks import ResNetGenerator
from pystyle.papers import sanakoyeu_2018
from pystyle.testing import check_stylizer
from pystyle.training import Painted, train


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return sanakoyeu_2018.network(width=2, num_blocks=2).double()


@pytest.fixture(scope="module")
def judge():
    torch.manual_seed(1)
    return sanakoyeu_2018.discriminator(width=1).double()


def scattered(module):
    """Other scales and shifts than at first, so that each is seen."""
    for parameter in module.parameters():
        if parameter.ndim == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)
    return module


def normal(x, layer):
    return F.instance_norm(x, weight=layer.weight, bias=layer.bias, eps=1e-5)


def same(x, kernel, stride):
    """TensorFlow: ceil(n / stride) positions, and the odd zero behind."""
    before = []
    for size in x.shape[2:]:
        total = max((int(np.ceil(size / stride)) - 1) * stride + kernel - size, 0)
        before.append((total // 2, total - total // 2))
    return F.pad(x, (*before[1], *before[0]))


def test_the_numbers_of_parameters():
    published = sanakoyeu_2018.network()
    kernels = 9 * (3 * 32 + 32 * 32 + 32 * 64 + 64 * 128 + 128 * 256)  # down
    kernels += 9 * 2 * 9 * 256**2  # blocks
    kernels += 9 * (256**2 + 256 * 128 + 128 * 64 + 64 * 32) + 49 * 32 * 3  # up, and the end
    norms = 2 * (3 + 32 + 32 + 64 + 128 + 256 + 18 * 256 + 256 + 128 + 64 + 32)
    assert sum(p.numel() for p in published.parameters()) == kernels + norms == 12_006_790


def test_the_number_of_parameters_of_the_discriminator():
    with torch.device("meta"):
        judge = sanakoyeu_2018.discriminator()
    widths = [3, 128, 128, 256, 512, 512, 1024, 1024]
    kernels = sum(25 * one * other for one, other in itertools.pairwise(widths))
    heads = 25 * 128 + 100 * 128 + 100 * 512 + 36 * 1024 + 9 * 1024
    assert sum(p.numel() for p in judge.parameters()) == kernels + heads + 2 * sum(widths[1:]) == 50_510_848


def test_the_network_is_the_layers_of_the_code(network, picture):
    scattered(network)
    content = picture(0, 32, 48)
    with torch.no_grad():
        x = F.pad(normal(2 * content - 1, network.input), (15,) * 4, mode="reflect")
        for (kernel, norm), stride in zip(network.down, (1, 2, 2, 2, 2), strict=True):
            x = F.relu(normal(F.conv2d(x, kernel.weight, stride=stride), norm))
        torch.testing.assert_close(network.features(content), x)
        assert x.shape == (1, 16, 2, 3)
        for block in network.blocks:
            y = normal(F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), block[1].weight), block[2])
            y = F.conv2d(F.pad(F.relu(y), (1,) * 4, mode="reflect"), block[5].weight)
            x = x + normal(y, block[6])
        for kernel, norm in network.up:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
            x = F.relu(normal(F.conv2d(same(x, 3, 1), kernel.weight), norm))
        x = F.conv2d(F.pad(x, (3,) * 4, mode="reflect"), network.output.weight)
        # The code's picture is in [-1, 1].
        expected = ((torch.sigmoid(x) * 2 - 1) + 1) / 2
        torch.testing.assert_close(network(content, network.named_code("style")), expected)


@pytest.mark.parametrize("size", [(144, 160), (131, 130)])
def test_the_discriminator_is_the_layers_of_the_code(judge, picture, size):
    scattered(judge)
    heads = {0: 5, 1: 10, 3: 10, 5: 6, 6: 3}
    image = picture(0, 144, 160)[..., : size[0], : size[1]]
    with torch.no_grad():
        x, expected = 2 * image - 1, []
        for index, (kernel, norm) in enumerate(judge.layers):
            x = F.leaky_relu(normal(F.conv2d(same(x, 5, 2), kernel.weight, stride=2), norm), 0.2)
            if index in heads:
                head = judge.heads[str(index)].weight
                assert head.shape[2:] == (heads[index],) * 2
                expected.append(F.conv2d(same(x, heads[index], 1), head))
        found = judge(image)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_an_image_is_large_enough_for_seven_halves(judge):
    with pytest.raises(ValueError, match="at least 129 pixels, which are halved seven times, got 128 x 160"):
        judge(torch.rand(1, 3, 128, 160, dtype=torch.float64))


def test_the_blurred_image_is_the_mean_of_what_there_is(picture):
    image = picture(0, 12, 16)
    found = sanakoyeu_2018.TransformedImageLoss().represent(image)[0].numpy()
    expected = np.empty_like(found)
    for row in range(12):
        for column in range(16):
            window = image[0, :, max(row - 4, 0) : row + 6, max(column - 4, 0) : column + 6]
            expected[:, row, column] = window.mean((1, 2))
    np.testing.assert_allclose(found, expected)


def test_the_loss_is_that_of_the_code(picture, check_formula):
    torch.manual_seed(2)
    criterion = sanakoyeu_2018.criterion(width=1).double()
    judge = criterion.losses["adversarial"].discriminator
    content, image = picture(0, 144, 160), picture(1, 144, 160)

    def blurred(x):
        sums = F.avg_pool2d(same(x, 10, 1), 10, 1)
        return sums / F.avg_pool2d(same(torch.ones_like(x), 10, 1), 10, 1)

    def formula(image):
        judged = [
            F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores)) for scores in judge(image)
        ]
        return sum(judged) + 100 * F.mse_loss(blurred(2 * image - 1), blurred(2 * content - 1))

    check_formula(criterion, {"content": content, "style": picture(2)}, image, formula)


def test_contents_are_compared_by_the_encoder_which_learns_from_both_sides(network, picture):
    content, image = picture(0), picture(1)
    task = sanakoyeu_2018.StyleAwareContent()
    lesson = task(network, Painted(content, None, None, pictures=image))
    difference = network.features(image) - network.features(content)
    torch.testing.assert_close(lesson.terms["features"], difference.abs().mean())
    kernel = network.down[0][0].weight
    gradients = [
        torch.autograd.grad(value, kernel, retain_graph=True)[0]
        for value in (lesson.terms["features"], difference.abs().mean())
    ]
    torch.testing.assert_close(*gradients)
    nothing = task(network, Painted(content, None, None, pictures=content)).terms["features"]
    assert nothing.item() == 0


def test_another_network_has_no_such_encoder(picture):
    painted = Painted(picture(0), None, None, pictures=picture(0))
    with pytest.raises(TypeError, match="the encoder of a `StyleAwareNetwork`, got a ResNetGenerator"):
        sanakoyeu_2018.StyleAwareContent()(ResNetGenerator(width=2), painted)


def test_the_options_are_those_of_the_code():
    options = sanakoyeu_2018.training()
    adversary = options["adversaries"]["adversarial"]
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (300_000, 1, 768)
    assert options["optimizer"].keywords == {"lr": 2e-4, "betas": (0.9, 0.999)}
    assert adversary.optimizer.keywords == {"lr": 2e-4}
    assert (adversary.most_success, options["tasks"]["content"].weight) == (0.8, 100.0)
    assert options["learning_rate"](0.0) == options["learning_rate"](1.0) == 1.0


def test_either_the_network_learns_or_the_discriminator(picture):
    torch.manual_seed(0)
    network = sanakoyeu_2018.network(width=2, num_blocks=1)
    criterion = sanakoyeu_2018.criterion(width=1)
    judge = criterion.losses["adversarial"].discriminator
    images = torch.cat([picture(seed, 144, 144, torch.float32) for seed in range(4)])
    moved = []
    numbers = {"network": network, "judge": judge}
    before = {name: [p.detach().clone() for p in one.parameters()] for name, one in numbers.items()}

    def watch(_):
        for name, one in numbers.items():
            now = [p.detach().clone() for p in one.parameters()]
            changed = [not torch.equal(*pair) for pair in zip(before[name], now, strict=True)]
            moved.append((name, all(changed), any(changed)))
            before[name] = now

    options = {**sanakoyeu_2018.training(num_steps=4), "crop_size": 144}
    result = train(network, criterion, contents=images[:2], styles=images[2:], callbacks=watch, **options)
    assert result.stop_reason == "finished"
    assert all(torch.isfinite(torch.tensor(column)).all() for column in result.history.values())
    # The network begins. In each step all of one player learns, and nothing of the other.
    assert moved[:2] == [("network", True, True), ("judge", False, False)]
    for (_, own, some), (_, other, another) in zip(moved[::2], moved[1::2], strict=True):
        assert (own, some, other, another) in [(True, True, False, False), (False, False, True, True)]
    assert ("judge", True, True) in moved


def test_it_keeps_the_promises_of_a_stylizer():
    torch.manual_seed(0)
    check_stylizer(sanakoyeu_2018.network(width=2, num_blocks=1))
