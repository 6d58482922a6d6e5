"""`--wrap`: pictures that can be laid beside themselves."""

import json
import shutil
from functools import partial

import pytest
import torch
from PIL import Image

from pystyle.cli import main
from pystyle.images import read_image, resize
from pystyle.networks import Stylizer, TransformNetwork
from pystyle.parametrizations import LaplacianPyramid, LowResolution, Pixels

TINY = ["--encoder", "alexnet", "--weights", "none", "--device", "cpu", "--steps", "1", "--quiet"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("pixels", Pixels), ("laplacian", LaplacianPyramid), ("low-resolution", LowResolution)],
)
def test_the_option_reaches_stylize_and_what_is_optimised(pictures, calls, name, expected):
    del pictures
    arguments = ["stylize", "content.png", "style.png", "-o", "out.png", "--parametrization", name, "--quiet"]
    assert main([*arguments, "--wrap", "both"]) == 0
    assert calls[0]["wrap"] == "both"
    made = calls[0]["parametrization"]
    assert (
        made is Pixels if expected is Pixels else (made.func, made.keywords) == (expected, {"wrap": "both"})
    )
    assert main([*arguments, "--overwrite"]) == 0
    assert "wrap" not in calls[1]
    assert calls[1]["parametrization"] is expected


def test_a_picture_gets_the_size_that_wraps(pictures):
    del pictures
    arguments = ["stylize", "content.png", "style.png", "-o", "out.png", "--size", "65", *TINY]
    assert main([*arguments, "--wrap", "horizontal"]) == 0
    # AlexNet divides the sides by 16 up to its fifth layer.
    assert read_image("out.png").shape[2:] == (65, 96)


def test_a_network_paints_what_its_painter_does(pictures, capsys):
    del pictures
    torch.manual_seed(0)
    network = TransformNetwork(width=1)
    torch.nn.init.normal_(network.codes)
    network.save("network.safetensors")
    paint = partial(_paint, "--network", "network.safetensors", "--device", "cpu", "--precision", "float32")
    assert paint("content.png", "-o", "out.png", "--size", "34", "--wrap", "both", "--json") == 0
    content = resize(read_image("content.png"), (36, 52), wrap="both")
    expected = Stylizer.load("network.safetensors").bind("style", wrap="both")(content)
    assert (read_image("out.png") - expected).abs().max() <= 0.51 / 255
    assert json.loads(capsys.readouterr().out)["width"] == 52
    shutil.copytree(".", "photos", ignore=shutil.ignore_patterns("*.safetensors", "out*", "photos"))
    assert paint("photos", "-o", "folder", "--size", "34", "--wrap", "horizontal", "--quiet") == 0
    assert read_image("folder/content.png").shape[2:] == (34, 52)


def _paint(*arguments):
    first, *others = arguments[-len(arguments) + 6 :]
    return main(["paint", first, *others, *arguments[:6]])


def test_a_transparent_photograph_is_refused(pictures, capsys):
    del pictures
    picture = Image.open("content.png").convert("RGBA")
    picture.putpixel((0, 0), (0, 0, 0, 0))
    picture.save("alpha.png")
    arguments = [
        "stylize",
        "alpha.png",
        "style.png",
        "-o",
        "out.png",
        "--size",
        "64",
        *TINY,
        "--wrap",
        "both",
    ]
    assert main(arguments) == 2
    assert "`--wrap` must be left out for a content with regions or transparency" in capsys.readouterr().err
    assert main([*arguments, "--background", "white"]) == 0
