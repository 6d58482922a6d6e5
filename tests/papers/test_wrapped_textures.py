"""Recipes of textures make tiles: images that wrap, at sizes that do."""

import pytest
import torch

from pystyle.encoders import vgg11
from pystyle.images import resize
from pystyle.papers import galerne_2024, gatys_2015, heitz_2021, risser_2017

LAYERS = ("relu1_1", "relu2_1", "relu3_1")


def noise(height, width, seed=0):
    image = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed))
    return resize(image.double(), (height, width), wrap="both")


def gatys(texture, encoder, wrap, start):
    return gatys_2015.texture_synthesis(
        texture, encoder=encoder, layers=LAYERS, num_steps=2, wrap=wrap, init=start, variant="paper"
    )


def heitz(texture, encoder, wrap, start):
    return heitz_2021.texture_synthesis(
        texture, encoder=encoder, layers=LAYERS, num_steps=2, wrap=wrap, init=start, num_directions=2
    )


@pytest.mark.parametrize("synthesis", [gatys, heitz])
@pytest.mark.parametrize(("wrap", "axes"), [("both", (2, 3)), ("horizontal", (3,))])
def test_shifted_noise_becomes_the_shifted_texture(synthesis, wrap, axes):
    encoder, texture, start = vgg11(weights=None).double(), noise(20, 24), noise(16, 24, seed=1)
    shift = [8] * len(axes)
    picture = synthesis(texture, encoder, wrap, start).image
    moved = synthesis(texture, encoder, wrap, start.roll(shift, axes)).image
    torch.testing.assert_close(moved, picture.roll(shift, axes), rtol=0, atol=1e-6)


def test_textures_get_the_nearest_sizes_that_wrap():
    encoder, texture = vgg11(weights=None), noise(18, 31).float()
    options = {"encoder": encoder, "num_steps": 1}
    found = gatys_2015.texture_synthesis(texture, layers=LAYERS, wrap="both", **options)
    assert found.image.shape[2:] == (20, 32)
    found = heitz_2021.texture_synthesis(texture, layers=LAYERS, wrap="horizontal", **options)
    assert found.image.shape[2:] == (18, 32)
    layers = {"gram_layers": LAYERS, "histogram_layers": LAYERS}
    levels = risser_2017.texture_synthesis(texture, scales=(0.5, 1.0), wrap="both", **layers, **options)
    assert [tuple(level.image.shape[2:]) for level in levels] == [(8, 16), (20, 32)]
    with pytest.raises(ValueError, match="multiple of 4 pixels to wrap, got 18"):
        gatys_2015.texture_synthesis(texture, layers=LAYERS, size=(18, 32), wrap="both", **options)


def test_a_content_that_wraps_is_painted_in_strips_so():
    encoder, content = vgg11(weights=None).double(), noise(32, 48)
    layers = {"content_layers": "relu3_1", "style_layers": LAYERS}
    levels = galerne_2024.style_transfer(
        content, noise(24, 24, seed=1), encoder=encoder, steps=(1, 1), largest=24, wrap="both", **layers
    )
    moved = galerne_2024.style_transfer(
        content.roll((16, 16), (2, 3)), noise(24, 24, seed=1), encoder=encoder, steps=(1, 1), largest=24,
        wrap="both", **layers,
    )  # fmt: skip
    assert [tuple(level.image.shape[2:]) for level in levels] == [(16, 24), (32, 48)]
    expected = levels[-1].image.roll((16, 16), (2, 3))
    torch.testing.assert_close(moved[-1].image, expected, rtol=0, atol=1e-6)
