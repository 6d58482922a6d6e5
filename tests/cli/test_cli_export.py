"""`pystyle export`: files that paint what the network paints."""

import json
from pathlib import Path

import pytest
import torch

from pystyle.cli import main
from pystyle.images import read_image, resize
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork
from pystyle.onnx import OnnxPainter


@pytest.fixture(autouse=True)
def folder(pictures):
    torch.manual_seed(0)
    named = TransformNetwork(width=1, styles=["waves", "wheat"])
    torch.nn.init.normal_(named.codes)
    named.save("named.safetensors")
    AnyStyleNetwork(width=1, features="light").save("any.safetensors")
    return pictures


def export(*arguments, output="net.onnx"):
    return main(["export", *arguments, "-o", output])


def error(capsys):
    return capsys.readouterr().err


def difference(painter, style, network="named.safetensors"):
    content = resize(read_image("content.png"), 37)
    wanted = Stylizer.load(network).bind(style)(content)
    return float((torch.from_numpy(painter(content.numpy())) - wanted).abs().max())


@pytest.mark.slow
def test_names_are_blended_into_the_file(capsys):
    code = export("waves", "wheat", "--network", "named.safetensors", "--style-weights", "1,3")
    assert code == 0
    assert "Wrote 'net.onnx', 0.0 MB." in error(capsys)
    assert difference(OnnxPainter("net.onnx"), [("waves", 0.25), ("wheat", 0.75)]) < 1e-4


@pytest.mark.slow
def test_a_painting_is_looked_at_in_its_size(capsys):
    arguments = ["style.png", "--network", "any.safetensors", "--style-size", "24", "--json"]
    assert export(*arguments) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told == {"file": str(Path("net.onnx").absolute()), "bytes": Path("net.onnx").stat().st_size}
    style = resize(read_image("style.png"), 24)
    assert difference(OnnxPainter("net.onnx"), style, "any.safetensors") < 1e-4


@pytest.mark.slow
def test_without_a_style_whoever_paints_chooses(capsys):
    assert export("--network", "any.safetensors", "--style-output", "look.onnx", "--quiet") == 0
    assert error(capsys) == ""
    painter = OnnxPainter("net.onnx", style="style.png", style_path="look.onnx")
    assert difference(painter, read_image("style.png"), "any.safetensors") < 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "net.pt"], "The extension of `--output` must be .onnx, got 'net.pt'."),
        (["-o", "none/net.onnx"], "`--output` needs the folder 'none', which does not exist."),
        (["-o", "old.onnx"], "The file 'old.onnx' exists already. Choose another name or add `--overwrite`."),
        (["stars"], "STYLE must be one that the network has learned, waves, wheat, got 'stars'."),
        (["wave"], "Did you mean 'waves'?"),
        (["-"], "STYLE must be names or files"),
        (["waves", "--style-weights", "1,2"], "`--style-weights` must have one weight for each of the 1"),
        (["waves", "--style-size", "64"], "`--style-size` is for paintings, and none is looked at here"),
        (["--network", "any.safetensors", "--style-size", "64"], "there is no STYLE."),
        (["--style-output", "look.onnx"], "`--style-output` is for a network for any style"),
        (["--network", "other"], "`--network` must be a network that comes with this version"),
    ],
)
def test_a_wrong_command_line_is_explained_before_anything_is_made(capsys, arguments, message):
    Path("old.onnx").write_bytes(b"old")
    command = ["export", "--network", "named.safetensors", "-o", "net.onnx", *arguments]
    assert main(command) == 2
    assert message in error(capsys)
    assert not Path("net.onnx").exists()
    assert Path("old.onnx").read_bytes() == b"old"


def test_both_files_must_differ(capsys):
    assert export("--network", "any.safetensors", "--style-output", "net.onnx") == 2
    assert "net.onnx" in error(capsys)


def test_a_network_that_cannot_be_exported_is_refused_in_a_line(capsys, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("TransformNetwork cannot be exported to ONNX: it is made of sand.")

    monkeypatch.setattr(TransformNetwork, "export", refuse)
    assert export("waves", "--network", "named.safetensors") == 1
    assert "error: TransformNetwork cannot be exported to ONNX: it is made of sand." in error(capsys)
