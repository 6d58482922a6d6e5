"""Scales and shifts by style."""

import torch

from pystyle.networks import AnyStyleNetwork
from pystyle.networks._style_modulation import StyleModulation, modulated


def test_features_are_scaled_and_shifted_before_a_fifth_is_left_of_what_is_negative():
    features = torch.tensor([[[[1.0, -2.0]], [[3.0, 4.0]]]])
    scale, shift = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1), torch.tensor([0.5, 3.5]).view(1, 2, 1, 1)
    expected = torch.tensor([2.5, -0.7, 0.5, -0.1])
    assert torch.allclose(modulated(features, scale, shift).flatten(), expected)


def test_each_layer_gets_its_own_part():
    torch.manual_seed(0)
    modulation = StyleModulation(3, [2, 1])
    with torch.no_grad():
        modulation.layers.bias.copy_(torch.arange(6.0))
    (first, first_shift), (second, second_shift) = modulation(torch.rand(4, 3))
    assert (first.shape, second.shape) == ((4, 2, 1, 1), (4, 1, 1, 1))
    assert (first[0].flatten().tolist(), second[0].flatten().tolist()) == ([1.0, 2.0], [3.0])
    assert (first_shift[0].flatten().tolist(), second_shift[0].flatten().tolist()) == ([3.0, 4.0], [5.0])


def test_a_network_is_modulated_by_the_means_and_deviations_of_the_style():
    network, seen = AnyStyleNetwork(width=1).eval(), []
    network.modulation.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    style = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    code = network.represent_style(style)
    network(style, code)
    (described,) = seen
    fine, coarse = network.encoder(style)
    expected = [image.mean((2, 3)) for image in (style, fine, coarse)]
    expected += [image.std((2, 3), correction=0) for image in (style, fine, coarse)]
    assert torch.allclose(described, torch.cat(expected, 1), atol=1e-3)
