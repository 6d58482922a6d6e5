"""The networks of Ghiasi et al. against their layers, written out with functions of torch."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from pystyle.encoders import ScaledAveragePool2d
from pystyle.papers import ghiasi_2017
from pystyle.testing import check_stylizer
from pystyle.training import train

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


def lively(network):
    """The network, with statistics of batches that let something through random layers."""
    generator = torch.Generator().manual_seed(1)
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    before = [layer.momentum for layer in norms]
    network.train()
    for layer in norms:
        layer.momentum = 1.0
    with torch.no_grad():
        shades = torch.linspace(0.2, 1, 4)[:, None, None, None]
        styles = shades * torch.rand(4, 3, 48, 48, generator=generator)
        network(styles, network.represent_style(styles))
    for layer, momentum in zip(norms, before, strict=True):
        layer.momentum = momentum
    return network.eval()


@pytest.fixture(scope="module")
def single(picture):
    """Pictures in float32: of MobileNet in float64 a pass takes seconds."""

    def make(seed, height=32, width=48):
        return picture(seed, height, width, torch.float32)

    return make


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return lively(ghiasi_2017.network(width=4, weights=None))


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(0)
    return ghiasi_2017.network(weights=None)


def written(network, content, style, *, training=False):
    """The painting network, with the scales and shifts of all layers in a row."""
    parts = network.transformer
    place = 0

    def layer(module, x, stride=1):
        border = module.weight.shape[2] // 2
        return F.conv2d(F.pad(x, (border,) * 4, mode="reflect"), module.weight, None, stride)

    def normalized(x):
        nonlocal place
        scale, shift = style[:, :, place : place + x.shape[1], None, None].unbind(1)
        place += x.shape[1]
        return scale * F.instance_norm(x) + shift

    x = content
    for module, norm, stride in zip(parts.down, parts.normalizations, (1, 2, 2), strict=True):
        x = layer(module, x, stride)
        mean, var = norm.running_mean.clone(), norm.running_var.clone()
        x = F.relu(F.batch_norm(x, mean, var, None, norm.bias, training=training, eps=1e-3))
    for index in range(0, 10, 2):
        hidden = F.relu(normalized(layer(parts.blocks[index], x)))
        x = x + normalized(layer(parts.blocks[index + 1], hidden))
    for module in parts.up:
        x = F.relu(normalized(layer(module, F.interpolate(x, scale_factor=2, mode="nearest"))))
    return torch.sigmoid(normalized(layer(parts.output, x)))


def test_the_networks_have_the_parameters_of_the_code(published):
    def count(module):
        return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)

    network = published
    assert 2 * sum(network.transformer.channels) == 2_758
    assert network.transformer.channels == (*[128] * 10, 64, 32, 3)
    # No biases, and a shift for each channel of the first three layers.
    convolutions = (
        3 * 32 * 81 + (32 * 64 + 64 * 128) * 9 + 10 * 128 * 128 * 9 + (128 * 64 + 64 * 32) * 9 + 32 * 3 * 81
    )
    assert count(network.transformer) == convolutions + 32 + 64 + 128 == 1_674_656
    assert count(network.style_predictor.trunk) == 2_223_872
    assert count(network.style_predictor.bottleneck) == 1280 * 100 + 100
    assert count(network.style_predictor.layers) == 2_758 * 101
    assert count(network) == 4_305_186


@pytest.mark.parametrize("training", [False, True])
def test_it_computes_what_the_layers_of_torch_do(network, single, training):
    content = torch.cat([single(0, 24, 32), single(1, 24, 32)])
    embedding = torch.cat([network.represent_style(single(seed, 32, 40)) for seed in (2, 3)])
    weight, bias = network.style_predictor.layers.weight, network.style_predictor.layers.bias
    with torch.no_grad():
        style = (embedding @ weight.T + bias).reshape(2, 2, -1)
        expected = written(network, content, style, training=training)
        copy = ghiasi_2017.StylePredictionNetwork(width=4).train(training)
        copy.load_state_dict(network.state_dict())
        found = copy(content, embedding)
    assert float(expected.std()) > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_an_embedding_is_a_linear_layer_behind_the_mean_of_the_features_of_mobilenet(network, single):
    predictor, style = network.style_predictor, single(1, 40, 56)
    features = models.mobilenet_v2(weights=None).features.eval()
    own = [value for name, value in predictor.trunk.state_dict().items() if not name.startswith("0.")]
    names = list(features.state_dict())
    features.load_state_dict(dict(zip(names, own, strict=True)))
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    with torch.no_grad():
        pooled = features((style - mean) / std).mean((2, 3))
        expected = pooled @ predictor.bottleneck.weight.T + predictor.bottleneck.bias
        found = network.represent_style(style)
    assert float(expected.std()) > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_style_scales_and_shifts_the_last_layer_too(network, single):
    style = torch.rand(1, 2, sum(network.transformer.channels))
    style[:, 0, -3:], style[:, 1, -3:] = 0.0, torch.tensor([0.0, 1.0, -2.0])
    with torch.no_grad():
        painted = network.transformer(single(0, 24, 32), style)
    colors = torch.tensor([0.5, 0.7310585786300049, 0.11920292202211755])
    torch.testing.assert_close(painted, colors[None, :, None, None].expand_as(painted))


def test_a_blend_is_a_point_between_the_embeddings(network, single):
    content, codes = single(0), [network.represent_style(single(seed)) for seed in (1, 2)]
    with torch.no_grad():
        expected = network(content, 0.3 * codes[0] + 0.7 * codes[1])
        assert float((expected - network(content, codes[0])).abs().max()) > 1e-3
    found = network.bind([(single(1), 0.3), (single(2), 0.7)])(content)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("strength", [0.0, 0.25])
def test_a_weak_style_is_a_point_towards_the_embedding_of_the_content(network, single, strength):
    content = torch.cat([single(0), single(1)])
    code = network.represent_style(single(2))
    with torch.no_grad():
        own = torch.cat([network.represent_style(single(seed)) for seed in (0, 1)])
        expected = network(content, (1 - strength) * own + strength * code)
    found = network.bind(single(2))(content, strength=strength)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_the_first_weights_are_those_of_the_code(published):
    network = published
    assert float(network.transformer.blocks[3].weight.detach().std()) == pytest.approx(0.01, rel=0.02)
    layers = network.style_predictor.layers
    assert not layers.bias.any()
    # The scales of the last layer, 3 of 100, and of the first, 128 of 100, each with a limit of its own.
    for rows, count in ((slice(1376, 1379), 3), (slice(0, 128), 128), (slice(2755, 2758), 3)):
        limit = (6 / (100 + count)) ** 0.5
        assert 0.9 * limit < float(layers.weight[rows].detach().abs().max()) <= limit


def test_weights_of_a_file_are_those_that_the_predictor_starts_from(tmp_path):
    torch.manual_seed(3)
    state = models.mobilenet_v2(weights=None).state_dict()
    torch.save(state, tmp_path / "mobilenet.pth")
    network = ghiasi_2017.network(width=2, weights=tmp_path / "mobilenet.pth")
    trunk = network.style_predictor.trunk
    torch.testing.assert_close(trunk[1][0].weight, state["features.0.0.weight"])
    torch.testing.assert_close(trunk[19][0].weight, state["features.18.0.weight"])
    assert all(parameter.requires_grad for parameter in trunk.parameters())


@pytest.mark.slow
def test_inception_takes_small_styles_as_if_they_went_on(picture):
    torch.manual_seed(0)
    network = ghiasi_2017.network(predictor="inception_v3", width=2, weights=None).eval()
    assert network.style_predictor.bottleneck.in_features == 768
    kinds = [type(layer).__name__ for layer in network.style_predictor.trunk]
    assert kinds[-5:] == ["InceptionB"] + ["InceptionC"] * 4
    style = picture(0, 20, 80, torch.float32)
    with torch.no_grad():
        longer = network.style_predictor.trunk(F.pad(style, (0, 0, 0, 55), mode="replicate"))
        expected = network.style_predictor.bottleneck(longer.mean((2, 3)))
        torch.testing.assert_close(network.represent_style(style), expected)


def test_the_loss_is_that_of_the_code(exact_averaging_encoder, picture, check_formula):
    content, style, image = picture(0), picture(1, 48, 40), picture(2)
    with torch.no_grad():
        target = exact_averaging_encoder(content, ["relu3_3"])["relu3_3"]
        styles = exact_averaging_encoder(style, LAYERS)

    def gram(x):
        flat = x[0].flatten(1)
        return flat @ flat.T / flat.shape[1]

    def formula(image):
        found = exact_averaging_encoder(image, LAYERS)
        loss = ((found["relu3_3"] - target) ** 2).mean()
        for layer in LAYERS:
            loss = loss + 5e-4 * ((gram(found[layer]) - gram(styles[layer])) ** 2).mean()
        across = (image[..., 1:] - image[..., :-1]) ** 2
        down = (image[..., 1:, :] - image[..., :-1, :]) ** 2
        return loss + 1e4 * (down.sum() / 2 / (31 * 48 * 3) + across.sum() / 2 / (32 * 47 * 3))

    criterion = ghiasi_2017.criterion(exact_averaging_encoder)
    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_the_losses_look_through_plain_averages():
    pool = ghiasi_2017.criterion().encoder.stages["pool2"]
    assert isinstance(pool, ScaledAveragePool2d)
    assert pool.scale == 1.0


def test_the_training_is_that_of_the_code():
    options = ghiasi_2017.training()
    assert options["optimizer"].keywords == {"lr": 1e-5}
    assert {options["learning_rate"](fraction) for fraction in (0.0, 0.5, 1.0)} == {1.0}


def test_it_keeps_the_promises_of_a_stylizer():
    torch.manual_seed(0)
    check_stylizer(lively(ghiasi_2017.network(width=4, weights=None)))


def test_all_of_it_is_trained_and_saved(encoder, picture, tmp_path):
    torch.manual_seed(0)
    network = ghiasi_2017.network(width=2, weights=None)
    trained = {name: value.clone() for name, value in network.named_parameters() if value.requires_grad}
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    options = {**ghiasi_2017.training(num_steps=2), "crop_size": 32, "batch_size": 2}
    result = train(network, ghiasi_2017.criterion(encoder), contents=images, styles=images.flip(0), **options)
    assert result.stop_reason == "finished"
    assert result.skipped == 0
    now = dict(network.named_parameters())
    same = [name for name, value in trained.items() if torch.equal(value, now[name])]
    # What shifts features before they are normalised does nothing.
    assert not [name for name in same if not name.endswith("conv.3.bias")]
    assert network.transformer.normalizations[2].weight.eq(1).all()
    assert network.transformer.normalizations[2].running_mean.any()
    network.save(tmp_path / "network.safetensors")
    again = ghiasi_2017.StylePredictionNetwork.load(tmp_path / "network.safetensors")
    assert torch.equal(again.bind(images[:1])(images), network.bind(images[:1])(images))


def test_what_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"`predictor` must be one of .*, got 'resnet18'"):
        ghiasi_2017.network(predictor="resnet18")
    with pytest.raises(ValueError, match="`weights` of mobilenet_v2 must be one of"):
        ghiasi_2017.network(width=1, weights="caffe")
    with pytest.raises(ValueError, match="`bottleneck` must be"):
        ghiasi_2017.StylePredictionNetwork(width=1, bottleneck=0)
