import io
import os
import pickle
import sys
import warnings
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from pystyle.encoders._weights import WeightsError, load_weights_file

safetensors_torch = pytest.importorskip("safetensors.torch")
TENSORS = {"conv1_1.weight": torch.arange(36.0).reshape(2, 2, 3, 3), "conv1_1.bias": torch.ones(2)}


def zipped(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def legacy(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=False, pickle_protocol=3)
    return buffer.getvalue()


FORMATS = [
    pytest.param(zipped, "a.pth", id="zip"),
    pytest.param(legacy, "a.pt", id="legacy"),
    pytest.param(zipped, "a.BIN", id="bin"),
    pytest.param(safetensors_torch.save, "a.safetensors", id="safetensors"),
]


class Malicious:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> object:
        return os.system, (f"touch '{self.marker}'",)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("encode", "name"), FORMATS)
def test_tensors_are_read_as_they_were_saved(tmp_path, encode, name):
    loaded = load_weights_file(str(write(tmp_path / name, encode(TENSORS))))
    assert loaded.keys() == TENSORS.keys()
    for key, expected in TENSORS.items():
        assert torch.equal(loaded[key], expected)


@pytest.mark.parametrize("encode", [zipped, legacy])
def test_a_state_dict_inside_a_checkpoint_is_unwrapped(tmp_path, encode):
    layer = nn.Conv2d(3, 2, 1)
    checkpoint = {"epoch": 3, "state_dict": OrderedDict(layer.named_parameters())}
    loaded = load_weights_file(write(tmp_path / "a.pth", encode(checkpoint)))
    assert list(loaded) == ["weight", "bias"]
    assert torch.equal(loaded["weight"], layer.weight)
    assert not any(tensor.requires_grad for tensor in loaded.values())


@pytest.mark.parametrize(("encode", "name"), FORMATS)
@pytest.mark.parametrize("cut", ["0", "10", "half", "-3"])
def test_a_cut_file_gives_one_error_that_names_it(tmp_path, encode, name, cut):
    content = encode(TENSORS)
    end = {"0": 0, "10": 10, "half": len(content) // 2, "-3": -3}[cut]
    path = write(tmp_path / name, content[:end])
    with pytest.raises(WeightsError, match="damaged or") as caught:
        load_weights_file(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["a.pth", "a.pt", "a.bin", "a.safetensors"])
@pytest.mark.parametrize("content", [b"<html>404</html>", b"\xff" * 64, b"\x80\x02." * 3, b"PK\x03\x04" * 9])
def test_a_file_of_another_format_gives_one_error(tmp_path, name, content):
    with pytest.raises(WeightsError, match=f"{name}. "):
        load_weights_file(write(tmp_path / name, content))


@pytest.mark.parametrize("encode", [zipped, legacy, pickle.dumps])
@pytest.mark.parametrize("name", ["a.pth", "a.bin"])
def test_a_pickle_that_would_run_code_is_refused_and_does_nothing(tmp_path, encode, name):
    marker = tmp_path / "marker"
    path = write(tmp_path / name, encode({"conv1_1.weight": Malicious(marker)}))
    with pytest.raises(WeightsError, match=r"must hold tensors only, got .* could run code") as caught:
        load_weights_file(path)
    # torch's own message, which advises to load the file without the protection, is not shown.
    assert "weights_only" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert not marker.exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.ones(2), "must map names to tensors, got Tensor"),
        ([torch.ones(2)], "must map names to tensors, got list"),
        ({}, "must hold tensors, got an empty mapping"),
        ({"state_dict": {}}, "must hold tensors, got an empty mapping"),
        ({"state_dict": 3}, "must map names to tensors, got int for 'state_dict'"),
        ({"a.weight": torch.ones(2), "epoch": 3}, "must map names to tensors, got int for 'epoch'"),
        ({0: torch.ones(2)}, "must map names to tensors, got Tensor for 0"),
    ],
)
def test_a_file_without_named_tensors_is_refused(tmp_path, value, message):
    with pytest.raises(WeightsError, match=message):
        load_weights_file(write(tmp_path / "a.pth", zipped(value)))


def test_a_storage_in_a_name_is_not_printed(tmp_path):
    # torch warns when it prints one, and prints all of its values.
    storage = torch.storage.TypedStorage(
        wrap_storage=torch.UntypedStorage(8), dtype=torch.float32, _internal=True
    )
    path = write(tmp_path / "a.pth", zipped({("a", storage): torch.ones(2)}))
    with pytest.raises(WeightsError, match=r"got Tensor for a tuple\. Save"):
        load_weights_file(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.pth` is missing"):
        load_weights_file(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="is missing or no file"):
        load_weights_file(tmp_path)


def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(WeightsError, match=r"must end in one of \.pth, .*\.safetensors, got '\.ckpt'"):
        load_weights_file(write(tmp_path / "a.ckpt", zipped(TENSORS)))


def test_without_the_package_safetensors_the_error_names_the_extra(tmp_path, monkeypatch):
    path = write(tmp_path / "a.safetensors", safetensors_torch.save(TENSORS))
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(ImportError, match=r'pip install "pystyle-nst\[safetensors\]"'):
        load_weights_file(path)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_advice_to_download_again_is_for_damaged_files_alone(tmp_path, name, monkeypatch):
    path = write(tmp_path / name, b"<html>not found</html>")
    with pytest.raises(
        WeightsError, match="has not the format of its name: it begins with b'<html>not"
    ) as caught:
        load_weights_file(path)
    assert "damaged" not in str(caught.value)

    def not_permitted(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", not_permitted)
    with pytest.raises(WeightsError, match=r"cannot be read: Permission denied\. Change its") as caught:
        load_weights_file(path)
    assert "damaged" not in str(caught.value)


def test_a_program_in_the_place_of_weights_is_named(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(nn.Linear(2, 2)).save(tmp_path / "a.pt")
    with pytest.raises(WeightsError, match="is a TorchScript archive") as caught:
        load_weights_file(tmp_path / "a.pt")
    assert "weights_only" not in str(caught.value)
