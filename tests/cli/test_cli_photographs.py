"""The photograph: its size, its metadata, and where it is."""

import io
from pathlib import Path

import PIL.Image
import pytest
import torch

from pystyle.cli import main
from pystyle.images import read_image, write_image

FILES = ["content.png", "style.png"]
TINY = ["--encoder", "alexnet", "--weights", "none", "--steps", "1", "--device", "cpu", "--quiet"]


@pytest.fixture(autouse=True)
def folder(pictures):
    return pictures


def _opened(path):
    """From memory, since Pillow leaves files open."""
    return PIL.Image.open(io.BytesIO(Path(path).read_bytes()))


def _stylize(*options):
    return main(["stylize", *FILES, "-o", "out.png", *options])


def test_the_original_size_is_that_of_the_photograph():
    assert _stylize("--size", "original", *TINY[:4], "--steps", "1", "--device", "cpu", "--quiet") == 0
    assert read_image("out.png").shape == (1, 3, 40, 60)


def test_larger_pictures_are_read_if_they_are_allowed(capsys, calls):
    assert _stylize("--max-pixels", "2399") == 1
    error = capsys.readouterr().err
    assert "60 x 40 = 2400 pixels, more than 2399. If you trust the file, pass `--max-pixels 2400`." in error
    assert _stylize("--max-pixels", "0.0024MP") == 0
    assert len(calls) == 1


@pytest.mark.usefixtures("calls")
def test_the_limit_of_pillow_is_raised_for_the_command_alone(monkeypatch):
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1000)
    write_image(torch.rand(1, 3, 50, 60), "large.webp")
    assert main(["stylize", "large.webp", "style.png", "-o", "out.png"]) == 0
    assert PIL.Image.MAX_IMAGE_PIXELS == 1000


@pytest.mark.usefixtures("calls")
def test_paths_with_a_tilde_are_in_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    (folder / "home").mkdir()
    write_image(torch.ones(1, 3, 40, 60), folder / "home" / "content.png")
    options = ["--save-config=~/run.toml", "--init=~/content.png"]
    assert main(["stylize", "~/content.png", "style.png", "--output=~/out.png", *options]) == 0
    assert {path.name for path in (folder / "home").iterdir()} == {"content.png", "out.png", "run.toml"}


@pytest.mark.usefixtures("calls")
def test_the_metadata_of_the_photograph_are_kept_if_they_are_wanted(capsys):
    exif = PIL.Image.Exif()
    exif[271], exif[0x0112] = "Maker", 6
    PIL.Image.new("RGB", (60, 40)).save("photo.jpg", exif=exif, dpi=(300, 300))
    assert main(["stylize", "photo.jpg", "style.png", "-o", "plain.jpg"]) == 0
    assert 271 not in _opened("plain.jpg").getexif()
    assert main(["stylize", "photo.jpg", "style.png", "-o", "kept.jpg", "--keep-metadata"]) == 0
    kept = _opened("kept.jpg")
    assert kept.getexif()[271] == "Maker"
    assert kept.getexif().get(0x0112, 1) == 1
    assert kept.info["dpi"] == (300, 300)
    capsys.readouterr()
    assert main(["stylize", "photo.jpg", "style.png", "-o", "kept.ppm", "--keep-metadata"]) == 2
    assert "`--keep-metadata` can be held by PNG, JPEG, WEBP, AVIF, TIFF files" in capsys.readouterr().err


def test_metadata_come_through_standard_input_and_a_config(calls, monkeypatch):
    stream = io.BytesIO()
    PIL.Image.new("RGB", (60, 40)).save(stream, "JPEG", dpi=(300, 300))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stream.getvalue())))
    assert main(["stylize", "-", "style.png", "-o", "kept.jpg", "--keep-metadata"]) == 0
    assert _opened("kept.jpg").info["dpi"] == (300, 300)
    options = ["-o", "again.jpg", "--keep-metadata", "--save-config", "run.toml"]
    assert main(["stylize", "kept.jpg", "style.png", *options]) == 0
    assert main(["stylize", "--config", "run.toml", "-o", "third.jpg"]) == 0
    assert _opened("third.jpg").info["dpi"] == (300, 300)
    assert len(calls) == 3
