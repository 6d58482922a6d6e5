"""Published files of weights, of which the name ends in the first digits of their hash."""

import hashlib

import pytest
import torch
from torchvision import models

from pystyle.encoders import WeightsError
from pystyle.encoders._weights import published_state_dict


def digits_of(content: bytes, length: int = 8) -> str:
    return hashlib.sha256(content).hexdigest()[:length]


def test_a_published_file_is_verified_by_the_digits_in_its_name(tmp_path):
    torch.save({"conv1.weight": torch.ones(2)}, tmp_path / "net.pth")
    path = tmp_path / f"net-{digits_of((tmp_path / 'net.pth').read_bytes())}.pth"
    (tmp_path / "net.pth").rename(path)
    url = f"http://127.0.0.1:9/models/{path.name}"
    assert list(published_state_dict(url, directory=tmp_path)) == ["conv1.weight"]
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(WeightsError, match="must have the SHA-256"):
        published_state_dict(url, directory=tmp_path)


def test_a_published_file_is_downloaded(weights_server, tmp_path):
    url = weights_server.url(f"right/net-{weights_server.sha256[:8]}.pth")
    # The content is that of no network, which is found out after the download.
    with pytest.raises(WeightsError, match="has not the format of its name"):
        published_state_dict(url, directory=tmp_path)
    assert weights_server.hits == ["right"]
    assert (tmp_path / f"net-{weights_server.sha256[:8]}.pth").stat().st_size == len(weights_server.content)


def test_a_published_file_that_was_altered_is_refused(weights_server, tmp_path):
    url = weights_server.url(f"flipped/net-{weights_server.sha256[:8]}.pth")
    with pytest.raises(
        WeightsError, match=f"the file must have the SHA-256 {weights_server.sha256[:8]}, got"
    ):
        published_state_dict(url, directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_published_file_of_known_hash_is_held_to_all_of_it(tmp_path):
    (tmp_path / "vgg19-dcbb9e9d.pth").write_bytes(b"other")
    with pytest.raises(WeightsError, match="must have the SHA-256 dcbb9e9dad569fff7a846263a77324fc34978fea"):
        published_state_dict("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", directory=tmp_path)


def test_a_published_file_without_digits_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"net\.pth` must end in the first digits of the file's SHA-256"):
        published_state_dict("https://example.org/net.pth", directory=tmp_path)


def test_every_file_of_torchvision_can_be_verified():
    for name in models.list_models(module=models):
        for member in models.get_model_weights(name):
            assert len(member.url.rpartition("-")[2].removesuffix(".pth")) >= 8
