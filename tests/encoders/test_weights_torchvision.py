import dataclasses
import hashlib
import re
from types import MappingProxyType

import pytest
import torch
import torchvision

from pystyle.encoders._weights import (
    TORCHVISION_WEIGHTS,
    WeightsError,
    WeightsSource,
    _torchvision,
    torchvision_state_dict,
)


def test_the_table_holds_vgg_with_and_without_batch_normalisation_and_alexnet():
    depths = (11, 13, 16, 19)
    expected = {"alexnet", *(f"vgg{n}" for n in depths), *(f"vgg{n}_bn" for n in depths)}
    assert set(TORCHVISION_WEIGHTS) == expected


@pytest.mark.parametrize("architecture", TORCHVISION_WEIGHTS)
def test_the_table_agrees_with_torchvision(architecture):
    source = TORCHVISION_WEIGHTS[architecture]
    theirs = torchvision.models.get_model_weights(architecture)["IMAGENET1K_V1"]
    assert source.url == theirs.url
    assert source.url.endswith(f"/{source.file_name}")
    if source.size is not None:
        assert source.size / 2**20 == pytest.approx(theirs.meta["_file_size"], abs=1e-3)


@pytest.mark.parametrize("architecture", TORCHVISION_WEIGHTS)
def test_each_hash_begins_with_the_digits_in_the_file_name(architecture):
    source = TORCHVISION_WEIGHTS[architecture]
    digits = re.search(r"-([0-9a-f]{8})\.pth$", source.file_name)
    assert digits is not None
    assert source.sha256.startswith(digits.group(1))
    assert len(source.sha256) in (8, 64)


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        TORCHVISION_WEIGHTS["vgg19"] = TORCHVISION_WEIGHTS["vgg16"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        TORCHVISION_WEIGHTS["vgg19"].sha256 = "0" * 64


def test_torchvision_state_dict_gives_the_keys_of_the_file(tmp_path, monkeypatch):
    path = tmp_path / "net.pth"
    torch.save({"features.0.bias": torch.ones(2)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source = WeightsSource("http://127.0.0.1:9/net.pth", path.name, digest, path.stat().st_size)
    monkeypatch.setattr(_torchvision, "TORCHVISION_WEIGHTS", MappingProxyType({"vgg19": source}))
    assert list(torchvision_state_dict("vgg19", directory=tmp_path)) == ["features.0.bias"]


def test_torchvision_state_dict_downloads_and_compares_the_size(weights_server, tmp_path, monkeypatch):
    source = WeightsSource(weights_server.url("right"), "net.pth", weights_server.sha256, 3)
    monkeypatch.setattr(_torchvision, "TORCHVISION_WEIGHTS", MappingProxyType({"vgg19": source}))
    with pytest.raises(WeightsError, match="must have 3 bytes, the server announced 16384"):
        torchvision_state_dict("vgg19", directory=tmp_path)


@pytest.mark.parametrize("architecture", TORCHVISION_WEIGHTS)
def test_another_file_under_the_name_of_torchvision_is_refused(tmp_path, architecture):
    file_name = TORCHVISION_WEIGHTS[architecture].file_name
    torch.save({"features.0.bias": torch.ones(2)}, tmp_path / file_name)
    with pytest.raises(WeightsError, match=f"{file_name}.* must have the SHA-256"):
        torchvision_state_dict(architecture, directory=tmp_path)


def test_an_unknown_architecture_is_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match=r"`architecture` must be .*, got 'vgg-19'\. Did you mean 'vgg19'\?"):
        torchvision_state_dict("vgg-19")
    with pytest.raises(ValueError, match=r"got 'squeeze'\.$"):
        torchvision_state_dict("squeeze")
