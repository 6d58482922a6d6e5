"""torch's default type and device do not change what the functions of the papers make of images."""

import pytest
import torch

from pystyle.papers import chen_2018, gatys_2017, huang_2017, johnson_2016

PHOTO = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
STYLE = PHOTO.flip(2).square()

FUNCTIONS = {
    "edges": lambda: chen_2018.edges(PHOTO, low=0.5, high=1.0),
    "smoothed edges": lambda: chen_2018.smoothed_edges(PHOTO),
    "gray": lambda: chen_2018.gray(PHOTO),
    "coral": lambda: huang_2017.coral(STYLE, PHOTO),
    "recoloured": lambda: gatys_2017.recoloured(PHOTO, STYLE, preserve="colors")[1],
    "luminance": lambda: gatys_2017.recoloured(PHOTO, STYLE, preserve="luminance")[1],
    "median": lambda: johnson_2016.median_filter(PHOTO),
}
EXPECTED = {name: function() for name, function in FUNCTIONS.items()}


@pytest.mark.usefixtures("dtype")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_default_type_changes_nothing(name):
    assert torch.equal(FUNCTIONS[name](), EXPECTED[name])


@pytest.mark.usefixtures("no_device")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_default_device_changes_nothing(name):
    assert torch.equal(FUNCTIONS[name](), EXPECTED[name])
