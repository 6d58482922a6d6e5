"""Networks by name: `--encoder`, `--weights`, `--content-layer`."""

import pytest

from pystyle.cli import main
from pystyle.images import read_image

FILES = ["content.png", "style.png"]


@pytest.fixture(autouse=True)
def folder(pictures):
    return pictures


def _stylize(*options):
    return main(["stylize", *FILES, "-o", "out.png", *options])


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        (["resnet18"], {"relu", "layer1", "layer2", "layer3", "layer4"}),
        (["torchvision:resnet18", "--layers", "layer1.0"], {"layer1.0", "layer3"}),
        (["resnet18", "--content-layer", "layer2.0"], {"relu", "layer2.0", "layer4"}),
        pytest.param(["timm:resnet18"], {"layer1", "layer3"}, marks=pytest.mark.slow),
        pytest.param(["vit_tiny_patch16_224"], {"blocks.2"}, marks=pytest.mark.slow),
    ],
)
def test_any_network_that_has_a_name_is_an_encoder(calls, options, layers):
    pytest.importorskip("timm")
    assert _stylize("--encoder", *options, "--weights", "none") == 0
    assert layers <= set(calls[0]["encoder"].layers)


def test_a_network_of_torchvision_paints():
    options = ["--encoder", "resnet18", "--weights", "none", "--size", "32", "--steps", "1"]
    assert _stylize(*options, "--device", "cpu", "--quiet") == 0
    assert read_image("out.png").shape == (1, 3, 32, 48)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--encoder", "resnet18", "--weights", "IMAGENET9"], "`--weights` of resnet18 must be one of"),
        (["--encoder", "resnet18", "--pooling", "l2"], "`--pooling` is for the VGGs and AlexNet"),
        (["--encoder", "resnet18", "--weights", "none", "--layers", "layer9"], "layer9"),
        (["--content-layer", "relu9_9"], "`--content-layer` must be one of conv1_1"),
        (["--content-weight", "-1"], "`--content-weight` must be a number of at least 0, got '-1'."),
    ],
)
def test_what_a_network_does_not_have_is_refused(capsys, options, message):
    assert _stylize(*options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
