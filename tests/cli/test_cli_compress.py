"""`pystyle compress`: a smaller file, and what it costs."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pystyle.cli import main
from pystyle.images import read_image, resize
from pystyle.metrics import Judge
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork
from pystyle.onnx import OnnxPainter

INPUTS = ["--content", "content.png", "--style", "style.png", "--size", "32"]


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    # Without the networks of the judge, which take seconds.
    monkeypatch.setattr(Judge, "published", lambda: Judge())
    torch.manual_seed(0)
    named = TransformNetwork(width=4, styles=["waves", "wheat"])
    torch.nn.init.normal_(named.codes)
    named.save("named.safetensors")
    AnyStyleNetwork(width=2, features="light").save("any.safetensors")
    return pictures


def compress(*arguments, output="small.safetensors"):
    return main(["compress", *arguments, "-o", output])


def test_a_network_is_pruned_and_gets_a_code_book(capsys):
    assert (
        compress("named.safetensors", *INPUTS, "--style-name", "wheat", "--prune", "0.25", "--bits", "4") == 0
    )
    small = Stylizer.load("small.safetensors")
    assert sum(small.width) == round(0.75 * 120)
    assert len(small.blocks[0].weight[0].unique()) <= 16
    captured = capsys.readouterr()
    assert "Wrote 'small.safetensors', 0.0" in captured.err
    head, before, after, _ = captured.out.splitlines()
    assert head.split() == ["bytes", "seconds", "noise"]
    assert before.split()[0] == "before"
    assert after.split()[:2] == ["after", f"{Path('small.safetensors').stat().st_size:,}"]


def test_the_figures_are_those_of_the_pictures(capsys):
    assert compress("any.safetensors", *INPUTS, "--json", "--quiet") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    told = json.loads(captured.out)
    content, style = (resize(read_image(f"{name}.png"), 32).clamp(0, 1) for name in ("content", "style"))
    for key, path in (("before", "any.safetensors"), ("after", "small.safetensors")):
        picture = Stylizer.load(path).bind(style)(content)
        expected = float(Judge()((picture * 255).round() / 255, content, style).figures["noise"])
        assert told[key]["noise"] == pytest.approx(expected, rel=1e-4)
        assert told[key]["seconds"] > 0
    assert told["after"]["bytes"] == Path("small.safetensors").stat().st_size
    assert told["ratios"]["bytes"] == told["after"]["bytes"] / told["before"]["bytes"] < 0.3
    assert told["file"] == str(Path("small.safetensors").absolute())


def test_figures_that_are_no_numbers_are_null(capsys, monkeypatch):
    # The noise of what has none at all, relative to none.
    monkeypatch.setattr(Judge, "__call__", lambda *_: SimpleNamespace(figures={"noise": float("nan")}))
    assert compress("any.safetensors", *INPUTS, "--json", "--quiet") == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told["before"]["noise"] is told["after"]["noise"] is told["ratios"]["noise"] is None


@pytest.mark.slow
def test_int8_is_a_file_of_onnx(capsys):
    arguments = ["named.safetensors", *INPUTS, "--style-name", "waves", "--int8"]
    assert compress(*arguments, output="small.onnx") == 0
    assert "after" in capsys.readouterr().out
    painter = OnnxPainter("small.onnx")
    assert painter.metadata["int8"] == "1"
    content = resize(read_image("content.png"), 32).clamp(0, 1)
    wanted = Stylizer.load("named.safetensors").bind("waves")(content)
    assert abs(torch.from_numpy(painter(content.numpy())) - wanted).mean() < 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prune", "1"], "`--prune` must be a number from 0 to 0.9"),
        (["--bits", "9"], "`--bits` must be"),
        (["--int8"], "extension of `--output` must be .onnx with `--int8`"),
        (["--calibration", "content.png"], "`--calibration` is for `--int8`"),
        (["--style-name", "what"], "`--style-name` must be a learned style, waves, wheat, got 'what'"),
        ([], "`--style-name` must say which learned style 'style.png' is beside"),
        (["--size", "16"], "`--size` must be at least 32 pixels"),
        (["--style-name", "waves", "--content", "missing.png"], "missing.png"),
    ],
)
def test_wrong_options_are_explained_and_nothing_is_written(arguments, message, capsys):
    assert compress("named.safetensors", *INPUTS, *arguments) in (1, 2)
    assert message in capsys.readouterr().err
    assert not Path("small.safetensors").exists()


def test_what_cannot_be_pruned_says_so(capsys):
    assert compress("any.safetensors", *INPUTS, "--prune", "0.2") == 2
    assert "`--prune` is for a TransformNetwork, got a AnyStyleNetwork" in capsys.readouterr().err
