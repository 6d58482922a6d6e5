"""AdaIN against the equations of the paper, written out."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pystyle import MaskedImage
from pystyle.encoders import vgg19
from pystyle.networks import Convolution, ResizeConvolution
from pystyle.papers import huang_2017
from pystyle.testing import check_stylizer
from pystyle.training import train

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")


def moments(features):
    """Means and deviations by loops over channels."""
    channels = features[0].flatten(1)
    return [(float(c.mean()), float(((c - c.mean()) ** 2).mean())) for c in channels]


def adain(content, style):
    out = torch.empty_like(content)
    for channel, ((m, v), (ms, vs)) in enumerate(zip(moments(content), moments(style), strict=True)):
        out[0, channel] = (content[0, channel] - m) / (v + 1e-5) ** 0.5 * vs**0.5 + ms
    return out


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return huang_2017.network(layer="relu2_1", weights=None).double().eval()


def test_features_get_exactly_the_moments_of_the_style(network, picture):
    content, style = picture(0), picture(1, 40, 32)
    seen = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(content, network.represent_style(style))
        features = network.features(style)
        torch.testing.assert_close(seen[-1], adain(network.features(content), features), rtol=1e-7, atol=1e-9)
        flat, wanted = seen[-1].flatten(2), features.flatten(2)
    network.decoder._forward_pre_hooks.clear()
    torch.testing.assert_close(flat.mean(2), wanted.mean(2))
    varying = (features.flatten(2).std(2) > 1e-2) & (network.features(content).flatten(2).std(2) > 0.1)
    assert int(varying.sum()) > 50
    torch.testing.assert_close(
        flat.std(2, correction=0)[varying], wanted.std(2, correction=0)[varying], rtol=2e-2, atol=0
    )


def test_the_decoder_is_the_mirror_of_the_encoder():
    network = huang_2017.network(weights=None)
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_505_219
    layers = [
        (layer.in_channels, layer.out_channels, isinstance(layer, ResizeConvolution))
        for layer in network.decoder.convolutions
    ]
    assert layers == [
        (512, 256, False),
        (256, 256, True), (256, 256, False), (256, 256, False), (256, 128, False),
        (128, 128, True), (128, 64, False),
        (64, 64, True), (64, 3, False),
    ]  # fmt: skip
    assert all(
        layer.border == "reflect" for layer in network.decoder.convolutions if type(layer) is Convolution
    )


def test_the_decoder_computes_what_the_layers_of_torch_do(network):
    first, second, last = network.decoder.convolutions
    features = torch.rand(1, 128, 6, 5, dtype=torch.float64)

    def layer(module, x):
        return F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), module.weight, module.bias)

    x = F.relu(layer(first, features))
    expected = layer(last, F.relu(layer(second, F.interpolate(x, scale_factor=2))))
    torch.testing.assert_close(network.decoder(features), expected)


def test_a_strength_of_0_is_what_the_decoder_makes_of_the_content(network, picture):
    content, code = picture(0), network.represent_style(picture(1))
    with torch.no_grad():
        expected = network.decoder(network.features(content))
        assert torch.equal(network.mixed(content, code, 0.0), expected)
        half = (
            network.features(content) / 2 + adain(network.features(content), network.features(picture(1))) / 2
        )
        torch.testing.assert_close(network.mixed(content, code, 0.5), network.decoder(half))


def test_a_blend_is_the_mean_of_the_features(network, picture):
    content, one, other = picture(0), picture(1), picture(2)
    features = network.features(content)
    with torch.no_grad():
        mean = 0.3 * adain(features, network.features(one)) + 0.7 * adain(features, network.features(other))
        expected = network.decoder(mean).clamp(0, 1)
    torch.testing.assert_close(network.bind([(one, 0.3), (other, 0.7)])(content), expected)


@pytest.mark.parametrize("weight", [0.1, 0.01])
def test_the_loss_is_that_of_the_code(exact_encoder, picture, check_formula, weight):
    content, style, image = picture(0), picture(1, 48, 40), picture(2)
    criterion = huang_2017.criterion(exact_encoder, style_weight=weight)
    with torch.no_grad():
        target = adain(*(exact_encoder(one, ["relu4_1"])["relu4_1"] for one in (content, style)))
        wanted = exact_encoder(style, LAYERS)

    def formula(image):
        found = exact_encoder(image, LAYERS)
        loss = ((found["relu4_1"] - target) ** 2).mean()
        for layer in LAYERS:
            own, other = found[layer][0].flatten(1), wanted[layer][0].flatten(1)
            loss = loss + weight * ((own.mean(1) - other.mean(1)) ** 2).sum()
            stds = [(x.var(1, correction=0) + 1e-6).sqrt() for x in (own, other)]
            loss = loss + weight * ((stds[0] - stds[1]) ** 2).sum()
        return loss

    check_formula(criterion, {"content": content, "style": style}, image, formula)


def test_each_region_has_the_moments_of_its_style(network, picture):
    content, styles = picture(0, 32, 48), {"left": picture(1), "right": picture(2)}
    left = torch.zeros(1, 1, 32, 48)
    left[..., :32] = 1
    seen = []
    handle = network.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    huang_2017.regions(network, MaskedImage(content, {"left": left, "right": 1 - left}), styles)
    handle.remove()
    features = network.features(content)
    for part, name in ((slice(0, 16), "left"), (slice(16, 24), "right")):
        expected = adain(features[..., part], network.features(styles[name]))
        torch.testing.assert_close(seen[0][..., part], expected)


def test_a_region_without_a_mask_is_named(network, picture):
    with pytest.raises(ValueError, match="got none of 'sky'"):
        huang_2017.regions(
            network, MaskedImage(picture(0), {"sea": torch.ones(1, 1, 32, 48)}), {"sky": picture(1)}
        )


@pytest.mark.parametrize("size", [(32, 48), (24, 32)])
def test_coral_is_that_of_its_authors(picture, size):
    style, content = 0.3 + 0.3 * picture(1, *size), 0.2 + 0.5 * picture(0)

    def root(matrix, power):
        values, vectors = np.linalg.eigh(matrix)
        return vectors @ np.diag(values**power) @ vectors.T

    def flat(image):
        return image[0].flatten(1).numpy()

    def normal(colors):
        return (colors - colors.mean(1, keepdims=True)) / colors.std(1, keepdims=True)

    s, c = flat(style), flat(content)
    # Sums over the pixels. In their code a style of fewer pixels than the content gets more contrast.
    both = [normal(x) @ normal(x).T + np.eye(3) for x in (s, c)]
    theirs = root(both[1], 0.5) @ root(both[0], -0.5) @ normal(s)
    expected = theirs * np.sqrt(s.shape[1] / c.shape[1])
    expected = np.clip(expected * c.std(1, keepdims=True) + c.mean(1, keepdims=True), 0, 1)
    np.testing.assert_allclose(flat(huang_2017.coral(style, content)), expected, atol=1e-9)


def test_colours_of_coral_are_correlated_as_those_of_the_content(picture):
    style, grey = 0.4 + 0.2 * picture(1), picture(0).mean(1, keepdim=True)
    content = 0.4 + 0.2 * grey + 0.02 * picture(2)
    found = huang_2017.coral(style, content)
    wanted = np.corrcoef(content[0].flatten(1).numpy())
    np.testing.assert_allclose(np.corrcoef(found[0].flatten(1).numpy()), wanted, atol=0.01)


def test_the_learning_rate_is_that_of_the_authors_whatever_the_number_of_steps():
    for num_steps in (1_000, 160_000):
        options = huang_2017.training(num_steps=num_steps)
        assert options["learning_rate"](0.5) == pytest.approx(1 / (1 + 5e-5 * num_steps / 2))
    assert options["optimizer"].keywords == {"lr": 1e-4}


def test_it_keeps_the_promises_of_a_stylizer():
    torch.manual_seed(0)
    check_stylizer(huang_2017.network(layer="relu2_1", weights=None))


def test_only_the_decoder_is_trained_and_saved(encoder, picture, tmp_path):
    torch.manual_seed(0)
    network = huang_2017.network(layer="relu2_1", weights=None)
    before = network.encoder.segments[0][1].weight.clone()
    images = torch.cat([picture(seed, 32, 32, torch.float32) for seed in range(4)])
    options = {**huang_2017.training(num_steps=3), "crop_size": 32, "batch_size": 2}
    criterion = huang_2017.criterion(encoder, layer="relu2_1")
    result = train(network, criterion, contents=images, styles=images.flip(0), **options)
    assert result.stop_reason == "finished"
    assert torch.equal(network.encoder.segments[0][1].weight, before)
    assert all(name.startswith("decoder.") for name in network.state_dict())
    network.save(tmp_path / "adain.safetensors")
    again = huang_2017.AdaINNetwork.load(tmp_path / "adain.safetensors")
    assert (again.layer, again.weights) == ("relu2_1", None)


def test_a_network_with_weights_of_a_file_is_saved_with_its_path(tmp_path):
    stages = vgg19(weights=None).stages.state_dict()
    torch.save(stages, tmp_path / "vgg19.pth")
    huang_2017.network(layer="relu1_1", weights=tmp_path / "vgg19.pth").save(tmp_path / "n.safetensors")
    again = huang_2017.AdaINNetwork.load(tmp_path / "n.safetensors")
    assert again.weights == str(tmp_path / "vgg19.pth")
    # A file with these names has the colours of Caffe.
    assert torch.equal(again.encoder.segments[0][1].weight, stages["conv1_1.weight"].flip(1))
