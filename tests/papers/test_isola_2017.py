"""pix2pix: the published sizes and losses, and that it learns what belongs to what."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from pystyle.papers import isola_2017
from pystyle.testing import check_stylizer
from pystyle.training import train


def judge(**options):
    torch.manual_seed(1)
    found = isola_2017.discriminator(width=2, **options)
    for weight in found.parameters():
        weight.data.add_(0.2 * torch.randn(weight.shape))
    return found


def small(**options):
    torch.manual_seed(0)
    return isola_2017.network(width=4, num_layers=3, **options)


def numbers(module):
    return {name: value.detach().clone() for name, value in module.named_parameters()}


def test_the_sizes_are_those_of_the_authors():
    with torch.device("meta"):
        network = isola_2017.network()
    assert sum(p.numel() for p in network.parameters()) == 54_413_955
    assert network.stride == 256
    # Kernels of 16 numbers, biases of the first and the last layer, scales and shifts of three.
    kernels = 16 * (6 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)
    counted = sum(p.numel() for p in isola_2017.discriminator().parameters())
    assert counted == kernels + 64 + 1 + 2 * (128 + 256 + 512) == 2_768_705


def test_patches_are_those_that_the_paper_compares():
    fields = [isola_2017.discriminator(width=1, num_layers=n).receptive_field for n in (1, 3, 5)]
    assert fields == [16, 70, 286]


def test_the_network_keeps_the_promises_of_a_stylizer():
    check_stylizer(small(style="facade"))


@pytest.mark.parametrize("conditional", [True, False])
def test_losses_are_those_of_equations_3_and_4(picture, check_formula, conditional):
    content, style, image = (picture(seed) for seed in range(3))
    seen = judge(conditional=conditional).double()

    def formula(image):
        x = torch.cat([content, image], 1) if conditional else image
        real = torch.sigmoid(seen(x))
        # The code measures between tanhs, in [-1, 1].
        return -real.log().mean() + 100 * ((2 * image - 1) - (2 * style - 1)).abs().mean()

    criterion = isola_2017.criterion(seen, conditional=conditional)
    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_only_a_discriminator_with_a_condition_sees_the_content(picture):
    one, other, style, image = (picture(seed, dtype=torch.float32) for seed in range(4))
    for conditional in (True, False):
        criterion = isola_2017.criterion(judge(conditional=conditional), conditional=conditional)
        values = [
            float(criterion.bind({"content": content, "style": style})(image)["adversarial.image"])
            for content in (one, other)
        ]
        assert (values[0] != values[1]) == conditional


def test_the_discriminator_moves_as_by_half_of_its_loss():
    """Also where its gradients are so small that Adam's epsilon counts."""
    generator = torch.Generator().manual_seed(0)
    slopes = torch.randn(50, 20, generator=generator, dtype=torch.float64) * 10.0 ** torch.linspace(-9, 0, 20)
    adversary = isola_2017.training()["adversaries"]["adversarial"]
    halved = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    ends = []
    for factory, factor in ((adversary.optimizer, 1.0), (halved, 0.5), (halved, 1.0)):
        weight = torch.zeros(20, dtype=torch.float64, requires_grad=True)
        optimizer = factory([weight])
        for slope in slopes:
            weight.grad = factor * slope
            optimizer.step()
        ends.append(weight.detach())
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-9, atol=0)
    assert not torch.allclose(ends[0], ends[2], rtol=1e-3)


def test_the_training_is_that_of_the_table():
    options = isola_2017.training()
    parameter = [torch.zeros(1, requires_grad=True)]
    (group,) = options["optimizer"](parameter).param_groups
    assert (group["lr"], group["betas"]) == (2e-4, (0.5, 0.999))
    assert [options["learning_rate"](done) for done in (0.0, 0.6, 1.0)] == [1.0, 1.0, 1.0]
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (200 * 400, 1, 256)
    assert options["paired"]
    assert not options["tasks"]
    adversary = options["adversaries"]["adversarial"]
    assert (adversary.num_steps, adversary.memory) == (1, 0)


def test_every_number_of_both_players_moves():
    network, seen = small(), judge()
    before = numbers(network), numbers(seen)
    contents, pictures = torch.rand(2, 4, 3, 40, 48, generator=torch.Generator().manual_seed(0))
    options = {**isola_2017.training(num_steps=3), "crop_size": 32}
    result = train(network, isola_2017.criterion(seen), contents=contents, styles=pictures, **options)
    assert result.skipped == 0
    assert {"adversarial.image", "l1.image", "adversarial.discriminator"} <= set(result.history)
    for module, old in zip((network, seen), before, strict=True):
        still = [name for name, value in numbers(module).items() if torch.equal(value, old[name])]
        assert not still


@pytest.mark.slow
def test_it_learns_what_belongs_to_what():
    """Negatives of pictures: as a set they are like the pictures themselves, and only pairs tell."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(9, 3, 4, 4, generator=generator)
    contents = F.interpolate(coarse, (16, 16), mode="bilinear")
    network = small()
    options = {**isola_2017.training(num_steps=150), "crop_size": 16}
    options["optimizer"] = partial(torch.optim.Adam, lr=5e-3, betas=(0.5, 0.999))
    criterion = isola_2017.criterion(judge(num_layers=1))
    train(network, criterion, contents=contents[:8], styles=1 - contents[:8], **options)
    picture = network.bind("style")(contents[8:])
    wanted, other = (float((picture - image).abs().mean()) for image in (1 - contents[8:], contents[8:]))
    assert wanted < 0.5 * other
    assert torch.equal(network.bind("style")(contents[8:]), picture)


def test_what_is_not_possible_is_refused():
    with pytest.raises(ValueError, match="`width` must"):
        isola_2017.network(width=0)
    with pytest.raises(ValueError, match="`num_layers` must"):
        isola_2017.discriminator(num_layers=0)
    with pytest.raises(ValueError, match="`weight` must"):
        isola_2017.criterion(judge(), l1_weight=float("nan"))
    pairs = torch.rand(1, 3, 48, 48)
    options = {**isola_2017.training(num_steps=1), "crop_size": 36}
    with pytest.raises(ValueError, match="`crop_size` must be a multiple of 8 and at least 16 for a UNet"):
        train(small(), isola_2017.criterion(judge()), contents=pairs, styles=pairs, **options)
