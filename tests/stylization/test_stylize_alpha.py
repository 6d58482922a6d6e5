"""Photographs that are transparent in parts, and images that come in other forms than tensors."""

import io
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle import MaskedImage, stylize
from pystyle.encoders import alexnet
from pystyle.images import read_image, resize, write_image

GENERATOR = torch.Generator().manual_seed(0)
CONTENT, STYLE = (
    resize(torch.rand(1, 3, height // 6, width // 6, generator=GENERATOR), (height, width))
    for height, width in ((48, 64), (70, 50))
)
ALPHA = torch.zeros(1, 1, 48, 64)
ALPHA[..., 8:40] = 1
ALPHA[..., 40:44] = 0.5


@pytest.fixture(scope="module")
def paint():
    return partial(stylize, encoder=alexnet(weights=None), edge_size=48, num_steps=3, device="cpu")


def cut_out(hidden: float) -> np.ndarray:
    """The content with its opacity, and a colour of what is hidden."""
    colours = torch.where(ALPHA > 0, CONTENT, torch.full_like(CONTENT, hidden))
    pixels = torch.cat((colours, ALPHA), 1)[0].permute(1, 2, 0)
    return (pixels * 255).round().byte().numpy()


def test_a_photograph_with_transparency_gives_a_picture_with_the_same(paint, tmp_path):
    Image.fromarray(cut_out(0.0)).save(tmp_path / "cut.png")
    result = paint(tmp_path / "cut.png", STYLE)
    torch.testing.assert_close(result.alpha, (ALPHA * 255).round() / 255)
    assert result.image.shape == (1, 3, 48, 64)
    for source in (Image.open(tmp_path / "cut.png"), cut_out(0.0), (tmp_path / "cut.png").read_bytes()):
        source = io.BytesIO(source) if isinstance(source, bytes) else source
        again = paint(source, STYLE)
        assert torch.equal(again.image, result.image)
        assert torch.equal(again.alpha, result.alpha)


def test_the_transparency_has_the_size_of_the_picture(paint):
    small = paint(cut_out(0.0), STYLE, edge_size=32)
    assert small.alpha.shape == (1, 1, *small.image.shape[2:])
    torch.testing.assert_close(small.alpha.mean(), ALPHA.mean(), rtol=0, atol=0.01)


def test_what_is_hidden_takes_no_part(paint):
    black, white = (paint(cut_out(hidden), STYLE) for hidden in (0.0, 1.0))
    assert torch.equal(black.image, white.image)
    assert black.history["total"] == white.history["total"]
    # It would, on a ground.
    on_white = paint(cut_out(0.0), STYLE, alpha=None)
    assert on_white.alpha is None
    assert abs(on_white.history["total"][0] - black.history["total"][0]) > 1e-3


def test_only_opaque_positions_count_in_the_losses(paint):
    half = torch.zeros(1, 1, 48, 64)
    half[..., :32] = 1
    # Of both no pixel is resampled.
    part = paint(CONTENT, STYLE, alpha=half, num_steps=1, init="content").history
    alone = paint(CONTENT[..., :32], STYLE, num_steps=1, init="content", edge_size=32).history
    whole = paint(CONTENT, STYLE, num_steps=1, init="content").history
    name = "smoothness.image"
    assert part[name][0] == pytest.approx(alone[name][0], rel=0.03)
    assert whole[name][0] != pytest.approx(alone[name][0], rel=0.03)


def test_opaque_photographs_are_painted_as_before(paint):
    plain = paint(CONTENT, STYLE)
    assert plain.alpha is None
    opaque = paint(CONTENT, STYLE, alpha=torch.ones_like(ALPHA))
    assert opaque.alpha is None
    assert torch.equal(opaque.image, plain.image)


@pytest.mark.parametrize("colors", ["style", "content", "luminance"])
def test_all_colours_and_masks_go_with_transparency(paint, colors):
    regions = {"left": torch.zeros(1, 1, 48, 64), "right": torch.zeros(1, 1, 48, 64)}
    regions["left"][..., :24] = 1
    regions["right"][..., 24:] = 1
    for content in (CONTENT, MaskedImage(CONTENT, regions)):
        result = paint(content, STYLE, alpha=ALPHA, colors=colors)
        assert result.stop_reason == "finished"
        torch.testing.assert_close(result.alpha, ALPHA)
    styles = {"left": STYLE, "right": STYLE.flip(3)}
    assert paint(MaskedImage(CONTENT, regions), styles, alpha=ALPHA).stop_reason == "finished"


def test_masks_of_a_painting_do_not_matter_to_a_photograph_without_regions(paint):
    style = MaskedImage(STYLE, {"top": torch.ones(1, 1, 70, 50)})
    assert torch.equal(paint(CONTENT, style, alpha=ALPHA).image, paint(CONTENT, STYLE, alpha=ALPHA).image)


@pytest.mark.parametrize(
    ("alpha", "kind", "message"),
    [
        (ALPHA[..., 1:], ValueError, r"`alpha` must have the shape \(1, 1, 48, 64\) of the content"),
        (2 * ALPHA, ValueError, r"`alpha` must be in \[0, 1\], got values from 0 to 2"),
        (ALPHA.byte(), TypeError, "`alpha` must be a floating tensor"),
        (0.5, TypeError, "`alpha` must be a mask, 'content' or None, got a float"),
        (0 * ALPHA, ValueError, "is empty"),
    ],
)
def test_what_is_no_opacity_is_refused(paint, alpha, kind, message):
    with pytest.raises(kind, match=message):
        paint(CONTENT, STYLE, alpha=alpha)


def test_contents_styles_and_regions_may_come_in_anything(paint, tmp_path):
    levels = (STYLE * 255).round().byte()
    array = levels[0].permute(1, 2, 0).numpy()
    write_image(levels / 255, tmp_path / "style.png")
    expected = paint(CONTENT, levels / 255).image
    stream = io.BytesIO((tmp_path / "style.png").read_bytes())
    for style in (array, Image.fromarray(array), stream, [tmp_path / "style.png"], (array,)):
        assert torch.equal(paint(CONTENT, style).image, expected)
    content = (CONTENT * 255).round().byte()[0].permute(1, 2, 0).numpy()
    for source in (content, Image.fromarray(content), content / np.float32(255)):
        assert paint(source, array).stop_reason == "finished"
    masks = {"all": torch.ones(1, 1, 48, 64)}
    by_region = paint(MaskedImage(CONTENT, masks), {"all": array}).image
    read = {"all": read_image(tmp_path / "style.png")}
    assert torch.equal(by_region, paint(MaskedImage(CONTENT, masks), read).image)


@pytest.mark.parametrize("style", [None, 3, [None], b"bytes"])
def test_what_is_no_style_is_refused_with_what_could_be_one(paint, style):
    with pytest.raises(TypeError, match=r"must be an image \(a tensor, a Pillow image, a numpy array"):
        paint(CONTENT, style)


@pytest.mark.parametrize("alpha", ["mask.png", "none", "Content", ""])
def test_a_text_that_is_no_word_for_the_transparency_is_refused(paint, alpha):
    for content in (CONTENT, cut_out(0.0)):
        with pytest.raises(ValueError, match=f"`alpha` must be a mask, 'content' or None, got '{alpha}'"):
            paint(content, STYLE, alpha=alpha)
