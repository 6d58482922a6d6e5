"""Many styles in one network: what a style has of its own, and what it leaves alone."""

import pytest
import torch
import torch.nn.functional as F

from pystyle.networks import TransformNetwork
from pystyle.papers import dumoulin_2017
from pystyle.testing import check_stylizer
from pystyle.training import train

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


@pytest.fixture
def network():
    """A network whose styles differ."""
    torch.manual_seed(0)
    network = dumoulin_2017.network(["waves", "wheat"], width=2).double().eval()
    with torch.no_grad():
        network.codes.add_(0.3 * torch.randn(network.codes.shape))
    return network


@pytest.mark.parametrize(("width", "shared", "style"), [(32, 1_676_035, 3200), (16, 423_299, 1600)])
def test_a_style_costs_a_fifth_of_a_percent(width, shared, style):
    for count in (1, 5):
        network = dumoulin_2017.network([f"style {index}" for index in range(count)], width=width)
        assert sum(parameter.numel() for parameter in network.parameters()) == shared + count * style


def test_the_first_weights_are_small_and_styles_change_nothing_at_first():
    torch.manual_seed(0)
    network = dumoulin_2017.network(["a", "b"], width=32)
    for layer in (*network.down, *network.blocks, *network.up, network.output):
        assert float(layer.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
        assert not layer.bias.any()
    assert torch.equal(network.codes[:, 0], torch.ones(2, 1600))
    assert torch.equal(network.codes[:, 1], torch.zeros(2, 1600))


def described(network, content, scales, shifts):
    """The network of ``model.py`` with equation 5, but for the last normalisation."""
    at = 0

    def normalized(x):
        nonlocal at
        part = slice(at, at + x.shape[1])
        at += x.shape[1]
        mean = x.mean((2, 3), keepdim=True)
        std = (x.var((2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
        return scales[None, part, None, None] * (x - mean) / std + shifts[None, part, None, None]

    def layer(module, x, stride=1):
        edge = module.weight.shape[-1] // 2
        return F.conv2d(F.pad(x, (edge,) * 4, mode="reflect"), module.weight, module.bias, stride)

    x = 2 * content - 1
    for module, stride in zip(network.down, (1, 2, 2), strict=True):
        x = normalized(layer(module, x, stride)).relu()
    for index in range(0, 10, 2):
        inner = normalized(layer(network.blocks[index], x)).relu()
        x = x + normalized(layer(network.blocks[index + 1], inner))
    for module in network.up:
        x = normalized(layer(module, F.interpolate(x, scale_factor=2, mode="nearest"))).relu()
    return layer(network.output, x).sigmoid()


@pytest.mark.parametrize("index", [0, 1])
def test_the_network_is_that_of_the_description(network, picture, index):
    content = picture(0)
    with torch.no_grad():
        found = network(content, network.named_code(network.styles[index]))
        torch.testing.assert_close(found, described(network, content, *network.codes[index]))


def test_a_blend_of_styles_is_that_of_their_scales_and_shifts(network, picture):
    content = picture(0)
    paint = network.bind([("waves", 3.0), ("wheat", 1.0)])
    mixed = 0.75 * network.codes[0] + 0.25 * network.codes[1]
    torch.testing.assert_close(paint.codes[None], mixed[None].detach())
    with torch.no_grad():
        torch.testing.assert_close(paint(content), described(network, content, *mixed))


def test_a_style_that_is_not_painted_gets_no_gradient(network, picture):
    network(picture(0), network.named_code("wheat")).square().sum().backward()
    assert not network.codes.grad[0].any()
    assert network.codes.grad[1].any()


def test_a_new_style_leaves_the_shared_weights_and_the_known_styles_alone(network, encoder, picture):
    network = network.float()
    contents = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    before = {name: network.bind(name)(contents) for name in network.styles}
    new = network.for_new_styles(["stars"])
    options = {**dumoulin_2017.training(num_steps=3), "crop_size": 32, "batch_size": 2}
    criterion = dumoulin_2017.criterion(encoder, content_layer="relu1_2", style_layers=["relu1_2", "relu2_2"])
    train(new, criterion, contents=contents, styles=picture(5, 40, 40, torch.float32), **options)
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, new.state_dict()[name]) == (name != "codes"), name
    assert not torch.equal(new.codes[0], network.codes.mean(0))
    joined = network.with_styles_of(new)
    assert (joined.styles, joined.border) == (("waves", "wheat", "stars"), "reflect")
    for name, picture_before in before.items():
        assert torch.equal(joined.bind(name)(contents), picture_before)


def test_several_styles_are_trained_together(encoder, picture):
    torch.manual_seed(0)
    network = dumoulin_2017.network(["waves", "wheat"], width=2)
    contents = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    paintings = [picture(seed, 40, 36, torch.float32)[0] for seed in (7, 8)]
    options = {**dumoulin_2017.training(num_steps=3), "crop_size": 32, "batch_size": 2}
    criterion = dumoulin_2017.criterion(encoder, content_layer="relu1_2", style_layers="relu1_2")
    result = train(network, criterion, contents=contents, styles=paintings, **options)
    assert result.stop_reason == "finished"
    assert not torch.equal(network.codes[0], network.codes[1])


@pytest.mark.parametrize("weight", [1e-4, 3.0])
def test_the_losses_are_those_of_the_code(exact_averaging_encoder, picture, check_formula, weight):
    encoder, content, style, image = exact_averaging_encoder, picture(0), picture(1, 48, 40), picture(2)
    criterion = dumoulin_2017.criterion(encoder, style_weight=weight)
    with torch.no_grad():
        target, wanted = encoder(content, LAYERS)["relu3_3"], encoder(style, LAYERS)

    def gram(features):
        x = features[0].flatten(1)
        return x @ x.T / x.shape[1]

    def formula(image):
        found = encoder(image, LAYERS)
        loss = ((found["relu3_3"] - target) ** 2).mean()
        for layer in LAYERS:
            loss = loss + weight * ((gram(found[layer]) - gram(wanted[layer])) ** 2).mean()
        return loss

    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_the_network_of_the_losses_averages_plainly(picture):
    encoder = dumoulin_2017.criterion().encoder
    with torch.no_grad():
        seen = encoder(picture(0, 32, 32, torch.float32), ["relu1_2", "pool1"])
    torch.testing.assert_close(seen["pool1"], F.avg_pool2d(seen["relu1_2"], 2))


def test_it_is_trained_as_published():
    options = dumoulin_2017.training()
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (40_000, 16, 256)
    assert options["optimizer"].keywords == {"lr": 1e-3}
    assert {options["learning_rate"](fraction) for fraction in (0.0, 0.5, 1.0)} == {1.0}


def test_it_keeps_the_promises_of_a_stylizer_and_its_border(tmp_path):
    torch.manual_seed(0)
    network = dumoulin_2017.network(["waves", "wheat"], width=2)
    check_stylizer(network)
    network.save(tmp_path / "network.safetensors")
    assert TransformNetwork.load(tmp_path / "network.safetensors").border == "reflect"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dumoulin_2017.network([]), "`styles` must be different names"),
        (lambda: dumoulin_2017.network(["a", "a"]), "`styles` must be different names"),
        (lambda: dumoulin_2017.network(width=0), "`width` must be"),
        (lambda: TransformNetwork(width=2, border="circular"), "`border` must be one of"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
