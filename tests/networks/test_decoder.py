"""Decoders and what they decode from: the layers of an encoder, frozen and mirrored."""

import pytest
import torch
from torch import nn

from pystyle.encoders import SequentialEncoder, alexnet, vgg16, vgg19
from pystyle.networks import Convolution, Decoder, DecoderLayer, FrozenEncoder, mirror

IMAGE = torch.rand(1, 3, 40, 33, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
def test_a_frozen_encoder_sees_what_the_encoder_sees(padding):
    encoder = vgg19(weights=None, padding=padding, ceil_mode=True)
    layers = ["conv1_2", "relu2_1", "pool2", "relu3_2"]
    with torch.no_grad():
        found = FrozenEncoder(encoder, layers)(IMAGE)
        for features, (layer, expected) in zip(found, encoder(IMAGE, layers).items(), strict=True):
            torch.testing.assert_close(features, expected, msg=lambda text, layer=layer: f"{layer}: {text}")


def test_a_frozen_encoder_of_other_windows_is_the_encoder():
    encoder = alexnet(weights=None)
    frozen = FrozenEncoder(encoder, ["relu1", "relu3"])
    image = torch.rand(1, 3, 80, 96)
    for features, expected in zip(frozen(image), encoder(image, ["relu1", "relu3"]).values(), strict=True):
        torch.testing.assert_close(features, expected)
    assert frozen.channels == [64, 384]


def test_a_frozen_encoder_lets_gradients_through_and_has_none():
    frozen = FrozenEncoder(vgg19(weights=None), ["relu2_1"])
    image = IMAGE.clone().requires_grad_()
    frozen(image)[0].sum().backward()
    assert float(image.grad.norm()) > 0
    assert not list(frozen.parameters())
    assert not frozen.state_dict()


def test_a_frozen_encoder_draws_nothing():
    encoder, before = vgg19(weights=None), torch.get_rng_state()
    FrozenEncoder(encoder, ["relu1_2"])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("layers", [[], ["relu2_1", "relu1_1"], ["relu1_1", "relu1_1"]])
def test_layers_of_a_frozen_encoder_are_in_its_order(layers):
    with pytest.raises(ValueError, match="must be in the order of the encoder"):
        FrozenEncoder(vgg19(weights=None), layers)


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        ("relu1_1", 1_731),
        ("relu2_1", 112_451),
        ("relu3_1", 555_075),
        ("relu4_1", 3_505_219),
        ("relu5_1", 12_944_451),
    ],
)
def test_mirrors_of_vgg19_have_the_published_sizes(layer, count):
    decoder = mirror(vgg19(weights=None), layer)
    assert sum(parameter.numel() for parameter in decoder.parameters()) == count


def test_a_mirror_gives_pictures_of_the_size_that_the_encoder_saw():
    encoder = vgg16(weights=None)
    with torch.no_grad():
        features = encoder(torch.rand(1, 3, 32, 48), ["relu3_3"])["relu3_3"]
        assert mirror(encoder, "relu3_3")(features).shape == (1, 3, 32, 48)


def test_a_convolution_that_halves_becomes_one_that_doubles():
    stages = {"first": nn.Conv2d(3, 4, 3, 1, 1), "second": nn.Conv2d(4, 8, 3, 2, 1), "relu": nn.ReLU()}
    decoder = mirror(SequentialEncoder(stages), "relu")
    assert decoder(torch.rand(1, 8, 5, 6)).shape == (1, 3, 10, 12)


@pytest.mark.parametrize(
    ("stages", "layer", "message"),
    [
        (
            {"conv": nn.Conv2d(3, 4, 3, 1, 1), "one": nn.MaxPool2d(2), "two": nn.MaxPool2d(2)},
            "two",
            "'one' does",
        ),
        ({"conv": nn.Conv2d(3, 4, 4, 4)}, "conv", "'conv' does more"),
        ({"relu": nn.ReLU(), "pool": nn.MaxPool2d(2)}, "relu", "must lie behind a convolution, got 'relu'"),
    ],
)
def test_what_has_no_mirror_is_refused(stages, layer, message):
    with pytest.raises(ValueError, match=message):
        mirror(SequentialEncoder(stages), layer)


def test_layers_of_a_decoder_fit_together():
    with pytest.raises(ValueError, match="each takes what the last one gives"):
        Decoder([DecoderLayer(8, 4), DecoderLayer(8, 3)])


@pytest.mark.parametrize("border", ["zeros", "reflect", "replicate"])
def test_the_border_of_a_convolution(border):
    convolution = Convolution(2, 4, 5, groups=2, stride=2, border=border)
    image = torch.rand(1, 2, 9, 8)
    ours = nn.Conv2d(2, 4, 5, 2, 2, groups=2, padding_mode=border)
    ours.load_state_dict(convolution.state_dict())
    torch.testing.assert_close(convolution(image), ours(image))


def test_another_border_is_refused():
    with pytest.raises(ValueError, match="`border` must be one of"):
        Convolution(3, 3, border="circular")
