"""What measures must do whatever the network: numbers worked out by hand, and what they do not look at."""

import math

import pytest
import torch
from torch import nn

from pystyle.encoders import SequentialEncoder, vgg16
from pystyle.metrics import (
    LPIPS,
    Judge,
    StyleDistance,
    color_distance,
    finest_band_energy,
    noise_ratio,
    saturation_ratio,
)

SAME = SequentialEncoder({"same": nn.Identity()})


def picture(seed, height=32, width=32):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def grey(value, size=32):
    return torch.full((1, 3, size, size), value)


def checkerboard(amplitude):
    odd = (torch.arange(32)[:, None] + torch.arange(32)) % 2
    return (0.5 + amplitude * (2 * odd - 1)).expand(1, 3, 32, 32)


def color(*rgb, height=32):
    return torch.tensor(rgb).view(1, 3, 1, 1).expand(1, 3, height, 32)


def test_the_finest_band_by_hand():
    assert finest_band_energy(grey(0.25, 33)).item() == 0
    assert finest_band_energy(checkerboard(0.5)).item() == pytest.approx(0.25)
    # Own weight in the mean 1/4, of the mean in the enlarged 9/16: 1 - 2 * 9/64 + (10/16)^2 / 4 = 209/256.
    assert finest_band_energy(picture(0, 512, 512)).item() == pytest.approx(209 / 256 / 12, rel=0.01)
    ramp = torch.linspace(0, 1, 256).expand(1, 3, 256, 256)
    assert finest_band_energy(ramp).item() < 1e-6


def test_noise_is_relative_to_the_larger_of_the_sources():
    content, style = checkerboard(0.1), checkerboard(0.3)  # Energies of 0.01 and 0.09.
    assert noise_ratio(content, content, style).item() == pytest.approx(1 / 9)
    assert noise_ratio(style, content, style).item() == pytest.approx(1)
    assert math.isinf(noise_ratio(checkerboard(0.1), grey(0.5), grey(0.5)))
    assert math.isnan(noise_ratio(grey(0.5), grey(0.5), grey(0.5)))


@pytest.mark.usefixtures("_lpips")
def test_lpips_of_an_image_and_itself_is_zero():
    distance = LPIPS(vgg16(weights=None, seed=3))
    assert distance(picture(0), picture(0)).item() == 0
    assert distance(picture(0), picture(1)).item() > 0


def test_the_distance_to_a_style_does_not_know_where_and_how_often():
    image, distance = picture(0), StyleDistance(SAME, ["same"])
    order = torch.randperm(32 * 32, generator=torch.Generator().manual_seed(1))
    shuffled = image.flatten(2)[..., order].view(1, 3, 32, 32)
    assert distance(shuffled, image).item() < 1e-9
    assert distance(image.repeat(1, 1, 2, 1), image).item() < 1e-4
    assert distance(picture(0) ** 2, image).item() > 1e-2


def test_the_mean_of_a_style_is_one_away_from_it():
    style = picture(0)
    mean = style.mean((2, 3), keepdim=True).expand_as(style)
    assert StyleDistance(SAME, ["same"])(mean, style).item() == pytest.approx(1, rel=1e-4)


def test_the_distance_to_a_style_is_zero_for_it_and_one_for_the_content():
    content, style = picture(0) ** 2, picture(1, 40, 36)
    distance = StyleDistance(vgg16(weights=None, seed=3), num_directions=8)
    assert distance(content, style, content).item() == 1
    assert distance(style, style, content).item() == 0
    assert distance(content, style).item() == distance(content, style).item()
    other = StyleDistance(distance.encoder, num_directions=8, seed=1)
    assert other(content, style).item() != distance(content, style).item()


def test_colours_by_hand():
    image = picture(0) / 2
    shifted = image + torch.tensor([0.0, 0.1, 0.2]).view(1, 3, 1, 1)
    assert color_distance(image, image).item() == color_distance(image, image.flip(-1)).item() == 0
    assert color_distance(shifted, image).item() == pytest.approx(0.1, rel=1e-5)
    style = color(0.9, 0.5, 0.1)
    assert saturation_ratio(color(0.5, 0.3, 0.3, height=40), style).item() == pytest.approx(0.25)
    assert saturation_ratio(grey(0.5), style).item() == 0


@pytest.mark.usefixtures("_lpips")
def test_an_image_that_wants_a_gradient_is_left_alone():
    image = picture(0).requires_grad_()
    before, network = image.detach().clone(), vgg16(weights=None, seed=3)
    judgement = Judge(LPIPS(network), StyleDistance(network, num_directions=4))(image, picture(1), picture(2))
    assert all(math.isfinite(value) for value in judgement.means.values())
    assert not any(values.requires_grad for values in judgement.figures.values())
    assert image.grad is None
    assert torch.equal(image, before)
