"""CycleGAN: the published sizes, one step of both pairs of players by the formulas, and the way back."""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from pystyle.papers import zhu_2017
from pystyle.training import train


def network(seed=0, **options):
    torch.manual_seed(seed)
    made = zhu_2017.network(width=2, num_blocks=1, **options)
    for weight in made.parameters():
        weight.data.add_(0.1 * torch.randn(weight.shape))
    return made


def judge(seed=2):
    torch.manual_seed(seed)
    made = zhu_2017.discriminator(width=2)
    for weight in made.parameters():
        weight.data.add_(0.1 * torch.randn(weight.shape))
    return made


def numbers(module):
    return {name: value.detach().clone() for name, value in module.named_parameters()}


def test_the_sizes_are_those_of_the_authors():
    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    assert count(zhu_2017.network()) == 11_378_179
    # Three blocks fewer, of two kernels of 3 x 3 between 256 channels, with biases.
    assert count(zhu_2017.network(num_blocks=6)) == 11_378_179 - 6 * (9 * 256 * 256 + 256) == 7_837_699
    assert count(zhu_2017.discriminator()) == 2_764_737
    made = zhu_2017.network(width=2, style="Monet")
    assert (made.upsampling, made.border, made.styles) == ("transposed", "zeros", ("Monet",))


def test_the_loss_of_pictures_is_that_of_least_squares(picture, check_formula):
    seen = judge().double()
    criterion = zhu_2017.criterion(seen)
    assert list(criterion.losses) == ["adversarial"]
    check_formula(criterion, {}, picture(0), lambda image: (seen(image) - 1).square().mean())


@pytest.mark.parametrize("identity", [0.5, 0.0])
def test_the_first_step_is_that_of_the_equations(picture, identity):
    """Values and gradients of all four networks, with distances of images in [-1, 1] as in the code."""
    there, back = network(0).double(), network(1, style="photograph").double()
    judge_there, judge_back = judge(2).double(), judge(3).double()
    g, f, d_y, d_x = old = [copy.deepcopy(one) for one in (there, back, judge_there, judge_back)]
    x, y = picture(0), picture(1)
    options = zhu_2017.training(there, back=back, judge_back=judge_back, identity=identity, num_steps=1)
    sgd = partial(torch.optim.SGD, lr=1e-3)
    options["optimizer"], options["crop_size"] = sgd, None
    options["adversaries"] = {
        name: type(adversary)(sgd, memory=adversary.memory)
        for name, adversary in options["adversaries"].items()
    }
    result = train(there, zhu_2017.criterion(judge_there), contents=x, styles=y, **options)

    def paint(module, image):
        return module(image, module.named_code(module.styles[0]))

    def distance(one, other):
        return ((2 * one - 1) - (2 * other - 1)).abs().mean()

    painting, photograph = paint(g, x), paint(f, y)
    adversarial = (d_y(painting) - 1).square().mean() + (d_x(photograph) - 1).square().mean()
    cycle = distance(paint(f, painting), x) + distance(paint(g, photograph), y)
    own = distance(paint(g, y), y) + distance(paint(f, x), x)
    total = adversarial + 10 * cycle + 10 * identity * own
    assert result.history["total"][0] == pytest.approx(total.item(), rel=1e-6)
    total.backward()
    losses = [
        ((d(real) - 1).square().mean() + d(made.detach()).square().mean()) / 2
        for d, real, made in ((d_y, y, painting), (d_x, x, photograph))
    ]
    for one in (d_y, d_x):
        one.zero_grad()
    torch.stack(losses).sum().backward()
    after = (there, back, judge_there, judge_back)
    for found, before in zip(after, old, strict=True):
        for name, weight in before.named_parameters():
            moved = weight.detach() - 1e-3 * weight.grad
            torch.testing.assert_close(found.get_parameter(name).detach(), moved, rtol=1e-7, atol=1e-9)
    assert result.history["adversarial.discriminator"][0] == pytest.approx(losses[0].item(), rel=1e-6)
    assert result.history["cycle.adversarial.discriminator"][0] == pytest.approx(losses[1].item(), rel=1e-6)


def test_the_training_is_that_of_the_table():
    options = zhu_2017.training(network(), judge_back=judge())
    (group,) = options["optimizer"]([torch.zeros(1, requires_grad=True)]).param_groups
    assert (group["lr"], group["betas"]) == (2e-4, (0.5, 0.999))
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (200 * 6853, 1, 256)
    assert not options["paired"]
    epochs = (0, 50, 100, 120, 150, 200)
    rates = [options["learning_rate"](epoch / 200) for epoch in epochs]
    assert rates == pytest.approx([1, 1, 1, 0.8, 0.5, 0])
    for name in ("adversarial", "cycle.adversarial"):
        adversary = options["adversaries"][name]
        (group,) = adversary.optimizer([torch.zeros(1, requires_grad=True)]).param_groups
        assert (group["lr"], group["betas"]) == (2e-4, (0.5, 0.999))
        assert (adversary.memory, adversary.num_steps) == (50, 1)


def test_every_number_of_all_four_networks_moves():
    there, seen, seen_back = network(), judge(2), judge(3)
    options = {**zhu_2017.training(there, judge_back=seen_back, num_steps=3), "crop_size": 24}
    back = options["tasks"]["cycle"].back
    before = [numbers(module) for module in (there, back, seen, seen_back)]
    contents, styles = torch.rand(2, 3, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    result = train(there, zhu_2017.criterion(seen), contents=contents, styles=styles, **options)
    assert result.skipped == 0
    for module, old in zip((there, back, seen, seen_back), before, strict=True):
        still = [
            name
            for name, value in numbers(module).items()
            # A normalisation takes them away.
            if torch.equal(value, old[name]) and not name.endswith("bias")
        ]
        assert not still


def test_the_second_network_is_like_the_first_if_none_is_given():
    there = network().double()
    back = zhu_2017.training(there, judge_back=judge())["tasks"]["cycle"].back
    assert back.configuration == {**there.configuration, "style": "content"}
    assert back.output.weight.dtype == torch.float64
    assert zhu_2017.training(there)["tasks"]["cycle"].judgement.kind == "least-squares"
    given = network(1, style="photograph")
    assert zhu_2017.training(network(), back=given)["tasks"]["cycle"].back is given


@pytest.mark.slow
def test_both_ways_together_come_to_change_less():
    """The cycle is what is learned first; nothing of it is in the criterion."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 6, 3, 4, 4, generator=generator)
    contents, styles = (F.interpolate(part, (24, 24), mode="bilinear") for part in coarse)
    styles = styles.square()
    there, back = network(0), network(1, style="photograph")
    options = zhu_2017.training(there, back=back, judge_back=judge(3), num_steps=80)
    options["crop_size"] = 24
    options["optimizer"] = partial(torch.optim.Adam, lr=5e-3, betas=(0.5, 0.999))

    def distance():
        returned = back.bind("photograph")(there.bind("style")(contents))
        return float((returned - contents).abs().mean())

    before = distance()
    train(there, zhu_2017.criterion(judge(2)), contents=contents, styles=styles, **options)
    assert distance() < 0.7 * before


def test_what_is_not_possible_is_refused():
    with pytest.raises(ValueError, match="`num_blocks` must"):
        zhu_2017.network(num_blocks=0)
    with pytest.raises(ValueError, match="`cycle_weight` must"):
        zhu_2017.training(network(), cycle_weight=-1.0)
    with pytest.raises(ValueError, match="`identity` must"):
        zhu_2017.training(network(), judge_back=judge(), identity=-0.5)
    options = {**zhu_2017.training(network(), judge_back=judge(), num_steps=1), "tasks": {}}
    images = torch.rand(1, 3, 256, 256)
    with pytest.raises(ValueError, match="There are: 'adversarial'"):
        train(network(), zhu_2017.criterion(judge()), contents=images, styles=images, **options)
