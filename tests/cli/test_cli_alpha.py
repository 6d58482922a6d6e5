"""Photographs that are transparent in parts, from the command line."""

import io
import sys
from types import SimpleNamespace

import pytest
import torch

from pystyle.cli import main
from pystyle.images import read_image, split_alpha, write_image

TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "32", "--steps", "1", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    alpha = torch.zeros(1, 1, 40, 60)
    alpha[..., :30] = 1
    write_image(torch.rand(1, 3, 40, 60, generator=generator), "cut.png", alpha=alpha)
    write_image(torch.rand(1, 3, 40, 40, generator=generator), "style.png")
    return tmp_path


def stylize(output, *options, content="cut.png"):
    return main(["stylize", content, "style.png", "-o", output, *TINY, *options])


@pytest.mark.parametrize("output", ["out.png", "out.webp"])
def test_the_picture_is_as_transparent_as_the_photograph(output):
    assert stylize(output, "--quiet") == 0
    alpha = split_alpha(output)[1]
    assert alpha.shape == (1, 1, 32, 48)
    assert float(alpha[..., :20].min()) > 0.9
    assert float(alpha[..., 28:].max()) < 0.1


def test_sixteen_bits_and_masks_go_with_it():
    write_image(torch.ones(1, 1, 40, 60), "mask.png")
    assert stylize("out.png", "--quiet", "--bits", "16", "--mask", "mask.png") == 0
    assert float(split_alpha("out.png")[1].mean()) == pytest.approx(0.5, abs=0.02)


def test_a_background_makes_the_picture_opaque():
    assert stylize("out.png", "--quiet", "--background", "#ff0000", "--init", "content") == 0
    assert split_alpha("out.png")[1] is None
    red = read_image("out.png")[..., 30:].mean((0, 2, 3))
    assert red[0] > 0.8
    assert red[1:].max() < 0.3


def test_formats_without_transparency_are_white_there_and_it_is_said(capsys):
    assert stylize("out.jpg", "--init", "content") == 0
    assert "'out.jpg' cannot be transparent: what is so in the photograph becomes white." in (
        capsys.readouterr().err
    )
    assert read_image("out.jpg")[..., 30:].mean() > 0.8
    assert stylize("quiet.jpg", "--quiet") == 0
    assert stylize("black.jpg", "--background", "black") == 0
    assert "cannot be transparent" not in capsys.readouterr().err


def test_standard_input_and_output_are_transparent_too(folder, monkeypatch):
    sink = io.BytesIO()
    stdin = SimpleNamespace(buffer=io.BytesIO((folder / "cut.png").read_bytes()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    stdout = SimpleNamespace(buffer=sink, isatty=lambda: False, flush=lambda: None, write=lambda _: None)
    monkeypatch.setattr(sys, "stdout", stdout)
    assert stylize("-", "--quiet", content="-") == 0
    sink.seek(0)
    assert float(split_alpha(sink)[1].mean()) == pytest.approx(0.5, abs=0.02)


def test_a_config_keeps_the_background():
    assert stylize("out.png", "--quiet", "--background", "red", "--save-config", "run.toml") == 0
    assert main(["stylize", "--config", "run.toml", "-o", "again.png", "--quiet"]) == 0
    assert (read_image("again.png") == read_image("out.png")).all()


def test_a_batch_keeps_transparency_or_has_a_background(folder):
    (folder / "photos").mkdir()
    (folder / "cut.png").rename(folder / "photos" / "cut.png")
    job = ["stylize", "--batch", "photos", "--style", "style.png", *TINY, "--quiet", "--output-dir"]
    assert main([*job, "clear"]) == 0
    assert float(split_alpha("clear/cut.png")[1].mean()) == pytest.approx(0.5, abs=0.02)
    assert main([*job, "ground", "--background", "white"]) == 0
    assert split_alpha("ground/cut.png")[1] is None


def test_what_is_no_colour_is_refused(capsys):
    assert stylize("out.png", "--background", "whit") == 2
    assert "`--background` must be a colour such as white, black or #ff8000, got 'whit'." in (
        capsys.readouterr().err
    )
