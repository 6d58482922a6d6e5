"""WCT² against the code of its authors, written out with the layers of torch and numpy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pystyle import MaskedImage
from pystyle.encoders import vgg19
from pystyle.networks import Convolution
from pystyle.papers import yoo_2019
from pystyle.testing import check_stylizer
from pystyle.training import train

LOW, HIGH = torch.tensor([1.0, 1.0]) / 2**0.5, torch.tensor([-1.0, 1.0]) / 2**0.5
FILTERS = [torch.outer(down, across).double() for down in (LOW, HIGH) for across in (LOW, HIGH)]
ALL = ("encoder", "skip", "decoder")


def power(matrix, exponent):
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(values**exponent) @ vectors.T


def wct(content, style, alpha=1.0):
    """``wct_core`` with the identity added and the clamp, and the mixture."""
    eye = np.eye(content.shape[1])
    flat, other = (x[0].flatten(1).numpy() for x in (content, style))
    whitened = power(np.cov(flat) + eye, -0.5) @ (flat - flat.mean(1, keepdims=True))
    colored = power(np.cov(other) + eye, 0.5) @ whitened + other.mean(1, keepdims=True)
    result = torch.from_numpy(colored.clip(flat.min(), flat.max())).reshape(content.shape)
    return alpha * result + (1 - alpha) * content


def convolved(layer, x):
    return F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), layer.weight, layer.bias)


def pooled(x):
    kernels = [kernel.expand(x.shape[1], 1, 2, 2) for kernel in FILTERS]
    return [F.conv2d(x, kernel, stride=2, groups=x.shape[1]) for kernel in kernels]


def unpooled(bands, original, option):
    parts = [
        F.conv_transpose2d(band, kernel.expand(band.shape[1], 1, 2, 2), stride=2, groups=band.shape[1])
        for band, kernel in zip(bands, FILTERS, strict=True)
    ]
    return sum(parts) if option == "sum" else torch.cat([*parts, original], 1)


class Reference:
    """``WaveEncoder`` and ``WaveDecoder`` level by level, and ``WCT2.transfer``."""

    def __init__(self, network):
        self.option, self.at = network.option, network.transfer
        self.preprocessing = network.encoder.segments[0][0]
        self.down = [m for m in network.encoder.modules() if isinstance(m, Convolution)]
        self.up = [network.decoder.before[0], *network.decoder.behind[0][::2]]
        self.up += [network.decoder.before[1], *network.decoder.behind[1][::2]]
        self.up += [network.decoder.before[2], *network.decoder.behind[2][::2], network.decoder.last]

    def encode(self, x, skips, level):
        if level == 1:
            x = self.preprocessing(x)
        if self.option == "sum":
            layers = {1: (0, 1), 2: (2, 3), 3: (4, 5, 6, 7), 4: (8,)}[level]
            for index in layers:
                x = convolved(self.down[index], x).relu()
            if level < 4:
                x, *skips[level] = pooled(x)
            return x
        if level == 1:
            return convolved(self.down[0], x).relu()
        for index in {2: (1,), 3: (3,), 4: (5, 6, 7)}[level]:
            x = convolved(self.down[index], x).relu()
        skips[f"before {level - 1}"] = x
        x, *skips[level - 1] = pooled(x)
        return convolved(self.down[{2: 2, 3: 4, 4: 8}[level]], x).relu()

    def decode(self, x, skips, level):
        if level == 1:
            return convolved(self.up[8], x)
        first, *others = {4: (0, 1, 2, 3), 3: (4, 5), 2: (6, 7)}[level]
        x = convolved(self.up[first], x).relu()
        x = unpooled([x, *skips[level - 1]], skips.get(f"before {level - 1}"), self.option)
        for index in others:
            x = convolved(self.up[index], x).relu()
        return x

    def style_features(self, x):
        features, skips = {}, {}
        for level in (1, 2, 3, 4):
            x = self.encode(x, skips, level)
            features["encoder", level] = x
        features["decoder", 4] = x
        for level in (4, 3, 2):
            x = self.decode(x, skips, level)
            features["decoder", level - 1] = x
        return features, skips

    def transfer(self, content, style, alpha=1.0):
        features, style_skips = self.style_features(style)
        x, skips = content, {}
        for level in (1, 2, 3, 4):
            x = self.encode(x, skips, level)
            if "encoder" in self.at:
                x = wct(x, features["encoder", level], alpha)
        if "skip" in self.at:
            for level in (1, 2, 3):
                pairs = zip(skips[level], style_skips[level], strict=True)
                skips[level] = [wct(own, other, alpha) for own, other in pairs]
        for level in (4, 3, 2, 1):
            if "decoder" in self.at and (level < 4 or "encoder" not in self.at):
                x = wct(x, features["decoder", level], alpha)
            x = self.decode(x, skips, level)
        return x


@pytest.fixture(scope="module")
def make():
    def make(**arguments):
        torch.manual_seed(0)
        return yoo_2019.network(weights=None, **arguments).double().eval()

    return make


def test_the_decoders_have_the_layers_of_the_code():
    for option, count, first in (("sum", 3_505_219, 256), ("cat5", 6_601_795, 1_280)):
        network = yoo_2019.network(option=option, weights=None)
        assert sum(weight.numel() for weight in network.parameters()) == count
        shapes = [(layer.in_channels, layer.out_channels) for layer in Reference(network).up]
        assert shapes == [
            (512, 256), (first, 256), (256, 256), (256, 256),
            (256, 128), (first // 2, 128), (128, 64), (first // 4, 64), (64, 3),
        ]  # fmt: skip
        layers = [(layer.in_channels, layer.out_channels) for layer in Reference(network).down]
        assert layers == [
            (3, 64), (64, 64), (64, 128), (128, 128),
            (128, 256), (256, 256), (256, 256), (256, 256), (256, 512),
        ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "transfer"),
    [("cat5", ALL), ("sum", ALL), ("cat5", ("encoder",)), ("sum", ("skip", "decoder"))],
)
def test_it_paints_as_the_code_does(make, picture, option, transfer):
    network = make(option=option, transfer=transfer)
    content, style = picture(0, 24, 32), picture(1, 32, 24)
    reference, code = Reference(network), network.represent_style(style)
    counts = {"encoder": 4, "skip": 9, "decoder": 3 if "encoder" in transfer else 4}
    assert len(code) == sum(counts[place] for place in transfer)
    with torch.no_grad():
        for strength in (1.0, 0.4):
            expected = reference.transfer(content, style, strength)
            found = network.mixed(content, code, strength)
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("option", ["cat5", "sum"])
def test_a_strength_of_0_and_no_transfer_are_the_reconstruction(make, picture, option):
    network, other = make(option=option), make(option=option, transfer=())
    content, style = picture(0, 24, 32), picture(1, 24, 32)
    reference, skips, x = Reference(network), {}, content
    with torch.no_grad():
        for level in (1, 2, 3, 4):
            x = reference.encode(x, skips, level)
        for level in (4, 3, 2, 1):
            x = reference.decode(x, skips, level)
        code = network.represent_style(style)
        torch.testing.assert_close(network.mixed(content, code, 0.0), x)
        other.load_state_dict(network.state_dict())
        torch.testing.assert_close(other(content, other.represent_style(style)), x)


def test_with_convolutions_that_do_nothing_it_gives_back_its_image(picture):
    """What the wavelets alone hold: all details of three poolings find their places again."""
    network = yoo_2019.network(option="sum", transfer=(), weights=None)
    network.encoder.segments = nn.ModuleList(nn.Identity() for _ in network.encoder.segments)
    network.decoder.before = nn.ModuleList(nn.Identity() for _ in range(3))
    network.decoder.behind = nn.ModuleList(nn.Identity() for _ in range(3))
    network.decoder.last = nn.Identity()
    for seed in range(5):
        image = picture(seed, 64, 80, torch.float32)
        found = network(image, network.represent_style(image))
        assert float((found - image).abs().max()) < 1e-5


def test_transferred_features_stay_within_the_range_of_the_content(make, picture):
    network, content = make(transfer=("encoder",)), picture(0)
    # As different in contrast as can be, so that the clamp has something to do.
    style = (picture(1) > 0.5).double()
    seen = []
    network.encoder.segments[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    with torch.no_grad():
        code = network.represent_style(style)
        network(content, code)
        own, other = (network.encoder.segments[0](image) for image in (content, style))
    torch.testing.assert_close(seen[1], wct(own, other), rtol=1e-7, atol=1e-9)
    assert float(seen[1].min()) == float(own.min())
    assert float(seen[1].max()) == float(own.max())


def test_each_region_is_transferred_by_itself(make, picture):
    network = make(option="sum", transfer=("encoder",))
    content, style = picture(0, 32, 64), picture(1, 64, 32)
    left, top = torch.zeros(1, 1, 32, 64), torch.zeros(1, 1, 64, 32)
    left[..., :32], top[:, :, :16] = 1, 1
    masks = {"sky": left, "land": 1 - left, "alone": torch.zeros(1, 1, 32, 64)}
    masks["land"][..., 60:], masks["alone"][..., 60:] = 0, 1
    others = {"sky": top, "land": 1 - top}
    found = yoo_2019.regions(network, MaskedImage(content, masks), MaskedImage(style, others), strength=0.7)
    reference, skips = Reference(network), {}
    with torch.no_grad():
        features, _ = reference.style_features(style)
        x = content
        for level in (1, 2, 3, 4):
            x = reference.encode(x, skips, level)
            step = 2 ** min(level, 3)
            y, ends, other = x.clone(), (32 // step, -(-(60 - step // 2) // step)), features["encoder", level]
            height = other.shape[2] // 4
            y[..., : ends[0]] = wct(x[..., : ends[0]], other[:, :, :height], 0.7)
            inside = F.interpolate(masks["land"].double(), x.shape[2:])[0, 0, 0] > 0.5
            y[..., inside] = wct(x[..., inside], other[:, :, height:], 0.7)
            x = y
        for level in (4, 3, 2, 1):
            x = reference.decode(x, skips, level)
    torch.testing.assert_close(found, x.clamp(0, 1), rtol=1e-6, atol=1e-8)


@pytest.mark.slow
def test_regions_that_cannot_be_compared_stay_as_they_are(make, picture):
    network = make(option="sum", transfer=("skip",))
    content, style = picture(0, 32, 64), picture(1, 32, 64)
    plain = network.mixed(content, network.represent_style(style), 0.0).clamp(0, 1).detach()

    def changes(*counts):
        """Whether regions of so many pixels, row by row, are transferred."""
        masks = [torch.arange(2048).reshape(1, 1, 32, 64) < count for count in counts]
        images = [MaskedImage(x, {"a": mask}) for x, mask in zip((content, style), masks, strict=True)]
        return not torch.allclose(yoo_2019.regions(network, *images), plain)

    assert [changes(10, 500), changes(11, 500), changes(500, 10), changes(500, 11)] == [False, True] * 2
    assert [changes(11, 1_100), changes(11, 1_099), changes(2_000, 20), changes(2_000, 21)] == [
        False, True, False, True,
    ]  # fmt: skip
    large = torch.ones(1, 1, 32, 64)
    masked = MaskedImage(content, {"a": large})
    with pytest.raises(ValueError, match=r"must have a region of the content, \('a',\), got \('b',\)"):
        yoo_2019.regions(network, masked, MaskedImage(style, {"b": large}))
    with pytest.raises(ValueError, match="must be one image, got a batch of 2"):
        yoo_2019.regions(network, masked, MaskedImage(style.repeat(2, 1, 1, 1), {"a": large}))


def test_a_style_of_any_size_is_cropped_in_its_middle(make, picture):
    network, style = make(option="sum", transfer=("skip",)), picture(1, 48, 48)[..., :45, :]
    for ours, expected in zip(
        network.represent_style(style), network.represent_style(style[:, :, 2:42]), strict=True
    ):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("weight", [0.01, 1.0])
def test_the_loss_is_the_formula(picture, check_formula, weight):
    encoder = vgg19(weights=None, pooling="average", padding="reflect").double()
    content, image = picture(0), picture(1)
    criterion = yoo_2019.criterion(encoder, gram_weight=weight)

    def grams(image):
        x, found = encoder.preprocessing(image), []
        for name, layer in encoder.stages.items():
            x = 2 * F.avg_pool2d(x, 2) if name.startswith("pool") else layer(x)
            if name in ("relu1_1", "relu2_1", "relu3_1", "relu4_1"):
                flat = x[0].flatten(1)
                found.append(flat @ flat.T / flat.shape[1])
            if name == "relu4_1":
                break
        return found

    with torch.no_grad():
        wanted = grams(content)

    def formula(image):
        pairs = zip(grams(image), wanted, strict=True)
        differences = [((own - other) ** 2).mean() / (other**2).mean() for own, other in pairs]
        return ((image - content) ** 2).mean() + weight * sum(differences) / 4

    check_formula(criterion, {"content": content}, image, formula)


@pytest.mark.parametrize("transfer", [pytest.param(ALL, marks=pytest.mark.slow), ()])
def test_it_keeps_the_promises_of_a_stylizer(transfer):
    torch.manual_seed(0)
    check_stylizer(yoo_2019.network(option="sum", transfer=transfer, weights=None))


def test_the_decoder_is_trained_without_styles(picture, tmp_path):
    torch.manual_seed(0)
    network = yoo_2019.network(option="sum", transfer=(), weights=None)
    before = network.decoder.last.weight.clone()
    images = torch.cat([picture(seed, 16, 16, torch.float32) for seed in range(4)])
    options = {**yoo_2019.training(num_steps=3), "crop_size": 16, "batch_size": 2}
    assert options["optimizer"].keywords == {"lr": 1e-3}
    criterion = yoo_2019.criterion(vgg19(weights=None, pooling="average"), layers=["relu1_1", "relu2_1"])
    result = train(network, criterion, contents=images, styles=images, **options)
    assert result.stop_reason == "finished"
    assert not torch.equal(network.decoder.last.weight, before)
    trained = yoo_2019.network(option="sum", transfer=["skip", "encoder"], weights=None)
    trained.load_state_dict(network.state_dict())
    assert all(name.startswith("decoder.") for name in trained.state_dict())
    trained.save(tmp_path / "wct2.safetensors")
    again = yoo_2019.WCT2Network.load(tmp_path / "wct2.safetensors")
    assert (again.option, again.transfer, again.weights) == ("sum", ("encoder", "skip"), None)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"`option` must be one of \('cat5', 'sum'\), got 'cat4'"):
        yoo_2019.network(option="cat4", weights=None)
    for transfer in ("encoder", ["encoder", "middle"]):
        with pytest.raises(ValueError, match="`transfer` must be some of"):
            yoo_2019.network(transfer=transfer, weights=None)
