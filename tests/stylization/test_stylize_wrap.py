"""Pictures that wrap: a shifted content gives the shifted picture, and nothing shows where it was cut."""

from functools import partial

import pytest
import torch
from torch import nn

from pystyle import stylize
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.images import resize
from pystyle.parametrizations import LaplacianPyramid, LowResolution
from pystyle.stylization import feature_contrast
from pystyle.typing import MaskedImage

AXES = {"both": (2, 3), "horizontal": (3,)}


def noise(height, width, seed=0):
    image = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed))
    # Far from black and white, where flat areas let a pooling choose by rounding.
    return resize(image.double() / 2 + 0.25, (height, width), wrap="both")


def encoder():
    """A VGG of three blocks, whose layers are named like those of a larger one."""
    generator = torch.Generator().manual_seed(0)
    modules = {}
    for block, inputs in enumerate((3, 4, 6, 6, 6), start=1):
        convolution = nn.Conv2d(inputs, (4, 6, 6, 6, 6)[block - 1], 3, padding=1, padding_mode="replicate")
        with torch.no_grad():
            convolution.weight.normal_(0, (2 / (9 * inputs)) ** 0.5, generator=generator)
            convolution.bias.zero_()
        modules |= {f"conv{block}_1": convolution, f"relu{block}_1": nn.ReLU()}
        if block == 4:
            modules["relu4_2"] = nn.Identity()
        if block < 4:
            modules[f"pool{block}"] = nn.MaxPool2d(2)
    return SequentialEncoder(modules).double()


# Where a gradient is 0, rounding must not make a step.
STEADY = partial(torch.optim.Adam, lr=0.01, eps=1e-3)
CASES = {
    "usual": {},
    "strips": {"tile": 16},
    "luminance": {"colors": "luminance"},
    "content colours": {"colors": "content", "init": "content"},
    "patches": {"style_loss": "mrf", "style_layers": ["relu2_1"]},
    "laplacian": {"optimizer": STEADY, "parametrization": partial(LaplacianPyramid, num_levels=2)},
    "low resolution": {"optimizer": STEADY, "averaging": 0.9, "parametrization": LowResolution},
}


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("case", CASES)
def test_a_shifted_content_gives_the_shifted_picture(case, wrap):
    arguments = dict(CASES[case])
    if "parametrization" in arguments:
        arguments["parametrization"] = partial(arguments["parametrization"], wrap=wrap)
    content, style, axes = noise(32, 48), noise(24, 20, seed=1), AXES[wrap]
    paint = partial(
        stylize, style=style, edge_size=[16, 32], num_steps=3, encoder=encoder(), wrap=wrap, device="cpu"
    )
    picture = paint(content, **arguments).image
    shift = [16] * len(axes)
    moved = paint(content.roll(shift, axes), **arguments).image
    torch.testing.assert_close(moved, picture.roll(shift, axes), rtol=0, atol=1e-6)
    assert not torch.allclose(picture, content, atol=0.01)


def test_sides_that_wrap_are_rounded_to_the_stride_of_the_deepest_layer():
    content, style = noise(40, 60), noise(24, 20, seed=1)
    paint = partial(stylize, content, style, encoder=encoder(), num_steps=1, device="cpu")
    # All five layers have a stride of 8 at a single level, the first three one of 4 at a later one.
    assert paint(edge_size=28, wrap="both").image.shape[2:] == (32, 40)
    assert paint(edge_size=28, wrap="horizontal").image.shape[2:] == (28, 40)
    assert paint(edge_size=[16, 30], wrap="both").image.shape[2:] == (32, 44)
    assert paint(edge_size=28).image.shape[2:] == (28, 42)


@pytest.mark.slow
def test_the_picture_is_as_rough_across_the_seam_as_inside():
    content, style = noise(64, 64), noise(64, 64, seed=1)
    deep = vgg11(weights=None, padding="replicate").double()
    picture = stylize(
        content, style, edge_size=64, num_steps=6, encoder=deep, wrap="both", device="cpu"
    ).image
    for axis in (2, 3):
        steps = (picture - picture.roll(1, axis)).abs().mean([0, 1, 5 - axis])
        spread = steps[1:].std()
        assert (steps[0] - steps[1:].mean()).abs() < 3 * spread


def test_regions_and_transparency_are_refused():
    content, style = noise(32, 32), noise(24, 24, seed=1)
    half = torch.zeros(1, 1, 32, 32, dtype=torch.float64)
    half[..., :16] = 1
    regions = MaskedImage(content, {"left": half, "right": 1 - half})
    paint = partial(stylize, style=style, edge_size=32, num_steps=1, encoder=encoder(), wrap="both")
    with pytest.raises(ValueError, match="`wrap` must be left out for a content with regions"):
        paint(regions)
    with pytest.raises(
        ValueError, match="`wrap` must be left out for a content with regions or transparency"
    ):
        paint(content, alpha=half)
    assert paint(content, alpha=torch.ones_like(half)).image.shape == content.shape


def test_an_unknown_wrap_and_a_parametrization_with_a_seam_are_refused():
    content, style = noise(32, 32), noise(24, 24, seed=1)
    paint = partial(stylize, content, style, edge_size=32, num_steps=1, encoder=encoder())
    with pytest.raises(ValueError, match="`wrap` must be 'both'"):
        paint(wrap="vertical")
    with pytest.raises(ValueError, match="`parametrization` must make images that wrap"):
        paint(wrap="both", parametrization=LaplacianPyramid)


def test_the_contrast_of_a_content_does_not_depend_on_where_it_was_cut():
    content, style, own = noise(32, 48), noise(24, 20, seed=1), encoder()
    found = {
        feature_contrast(own, {"content": content.roll(shift, 3), "style": style}, edge_size=32, wrap="both")
        for shift in (0, 8, 24)
    }
    assert len(found) == 1
