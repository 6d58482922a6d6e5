"""Regions of a photograph that are painted in manners of their own."""

from functools import partial

import pytest
import torch

from pystyle import GramLoss, MaskedImage, stylize
from pystyle.colors import match_colors
from pystyle.encoders import alexnet
from pystyle.images import resize

GENERATOR = torch.Generator().manual_seed(0)
CONTENT, STYLE, OTHER = (
    resize(torch.rand(1, 3, height // 6, width // 6, generator=GENERATOR), (height, width))
    for height, width in ((48, 64), (70, 50), (60, 60))
)
DARK = 0.1 * OTHER
LEFT = torch.zeros(1, 1, 48, 64)
LEFT[..., :32] = 1
MASKS = {"left": LEFT, "right": 1 - LEFT}


@pytest.fixture(scope="module")
def paint():
    return partial(
        stylize, encoder=alexnet(weights=None), edge_size=48, num_steps=6, device="cpu", precision="float32"
    )


def sides(image):
    return image[..., :24], image[..., 40:]


def test_each_region_takes_the_style_of_its_name(paint):
    result = paint(MaskedImage(CONTENT, MASKS), {"left": DARK, "right": STYLE}, strength=20.0)
    left, right = sides(result.image)
    assert left.mean() < 0.25
    assert right.mean() > 0.35
    terms = {name.partition(".")[0] for name in result.history}
    assert {"content", "style_left", "style_right", "smoothness"} < terms


def test_what_lies_in_no_region_stays_a_photograph(paint):
    result = paint(MaskedImage(CONTENT, {"left": LEFT}), DARK, strength=20.0)
    left, right = sides(result.image - CONTENT)
    assert left.abs().mean() > 5 * right.abs().mean()


def test_regions_of_one_painting_go_where_they_are_called_the_same(paint):
    # The upper half of the painting is dark, the lower one light.
    painting, top = torch.cat((DARK, 0.9 + DARK), 2), torch.zeros(1, 1, 120, 60)
    top[:, :, :60] = 1
    style = MaskedImage(painting, {"left": top, "right": 1 - top})
    result = paint(MaskedImage(CONTENT, MASKS), style, strength=20.0)
    left, right = sides(result.image)
    assert left.mean() < 0.3
    assert right.mean() > 0.7


def test_a_region_that_is_everything_gives_the_picture_without_regions(paint):
    masked = paint(MaskedImage(CONTENT, {"all": torch.ones(1, 1, 48, 64)}), STYLE, init="content")
    plain = paint(CONTENT, STYLE, init="content")
    torch.testing.assert_close(masked.image, plain.image, rtol=0, atol=1e-4)
    assert masked.history["total"][-1] == pytest.approx(plain.history["total"][-1], rel=1e-4)


def test_the_weight_of_a_region_is_its_area(paint):
    small = torch.zeros(1, 1, 48, 64)
    small[..., :16] = 1
    first = {}
    for name, mask in {"small": small, "large": LEFT}.items():
        photo = MaskedImage(CONTENT[..., :1].expand_as(CONTENT), {"part": mask})
        history = paint(photo, STYLE, style_loss=GramLoss("relu1"), init="content", num_steps=1).history
        first[name] = history["style_part.relu1"][0]
    # Columns are all the same, so the statistics differ by what the edges of the picture do only.
    assert first["small"] / first["large"] == pytest.approx(0.5, rel=0.1)


def test_a_region_starts_from_the_colours_of_its_style(paint):
    content = MaskedImage(CONTENT, MASKS)
    result = paint(content, {"left": DARK, "right": STYLE}, num_steps=1, strength=1e-6)
    means = [side.mean((0, 2, 3)) for side in sides(result.image)]
    torch.testing.assert_close(means[0], DARK.mean((0, 2, 3)), rtol=0, atol=0.05)
    torch.testing.assert_close(means[1], STYLE.mean((0, 2, 3)), rtol=0, atol=0.12)


@pytest.mark.parametrize("factor", [0.5, 0.2])
def test_a_mask_that_is_nowhere_above_one_half_is_a_region(paint, factor):
    content = MaskedImage(CONTENT, {"left": factor * LEFT})
    result = paint(content, DARK, num_steps=1, strength=1e-6)
    left, right = sides(result.image)
    # Recoloured as much as the mask says.
    matched = match_colors(CONTENT[..., :32], DARK)[..., :24]
    wanted = torch.lerp(CONTENT[..., :24].mean(), matched.mean(), factor)
    assert float(left.mean()) == pytest.approx(float(wanted), abs=0.03)
    assert float(right.mean()) == pytest.approx(float(CONTENT[..., 40:].mean()), abs=0.03)
    assert paint(content, DARK).stop_reason == "finished"


def test_the_mask_of_a_style_may_be_soft(paint):
    painting, top = torch.cat((DARK, 0.9 + DARK), 2), torch.zeros(1, 1, 120, 60)
    top[:, :, :60] = 0.4
    style = MaskedImage(painting, {"left": top})
    result = paint(MaskedImage(CONTENT, {"left": LEFT}), style, num_steps=1, strength=1e-6)
    torch.testing.assert_close(
        sides(result.image)[0].mean((0, 2, 3)), DARK.mean((0, 2, 3)), rtol=0, atol=0.05
    )


def test_a_region_of_two_styles_starts_from_the_colours_of_both(paint):
    content = MaskedImage(CONTENT, {"all": torch.ones(1, 1, 48, 64)})
    arguments = {"style_weights": [1, 3], "num_steps": 1, "strength": 1e-6}
    # The first row of a history is that of the image which the run starts from.
    masked = paint(content, [DARK, STYLE], **arguments).history
    plain = paint(CONTENT, [DARK, STYLE], **arguments).history
    # Without regions the colours are those of the styles at the size of the level.
    assert masked["content.relu4"][0] == pytest.approx(plain["content.relu4"][0], rel=0.01)
    assert masked["smoothness.image"][0] == pytest.approx(plain["smoothness.image"][0], rel=0.01)


def test_styles_can_be_blended_in_a_region(paint):
    result = paint(MaskedImage(CONTENT, {"left": LEFT}), [DARK, STYLE], style_weights=[1, 3])
    assert result.stop_reason == "finished"


@pytest.mark.parametrize("colors", ["content", "luminance"])
def test_colours_can_be_kept_in_regions(paint, colors):
    result = paint(MaskedImage(CONTENT, MASKS), {"left": STYLE, "right": OTHER}, colors=colors)
    means = result.image.mean((0, 2, 3)), CONTENT.mean((0, 2, 3))
    torch.testing.assert_close(*means, rtol=0, atol=0.1)


def test_strips_and_half_precision_know_regions(paint):
    content, styles = MaskedImage(CONTENT, MASKS), {"left": DARK, "right": STYLE}
    whole = paint(content, styles, num_steps=2, tile=None).image
    strips = paint(content, styles, num_steps=2, tile=16).image
    torch.testing.assert_close(strips, whole, rtol=0, atol=1e-3)
    half = paint(content, styles, num_steps=2, precision="bfloat16").image
    assert (half - whole).abs().mean() < 0.02


@pytest.mark.parametrize(
    ("content", "style", "arguments", "message"),
    [
        (CONTENT, {"left": STYLE}, {}, "`content` must be a MaskedImage if `style` has an image for each"),
        (
            MaskedImage(CONTENT, MASKS),
            {"left": STYLE},
            {},
            "each region of the content, 'left', 'right', got",
        ),
        (MaskedImage(CONTENT, MASKS), {"left": STYLE, "right": STYLE, "top": STYLE}, {}, "got .*'top'"),
        (MaskedImage(CONTENT, {"style": LEFT}), {"style": STYLE}, {}, "must not be named"),
        (MaskedImage(CONTENT, {"left": LEFT}), {"left": STYLE}, {"style_weights": [1]}, "must be left out"),
        (
            MaskedImage(CONTENT, MASKS),
            MaskedImage(STYLE, {"left": torch.ones(1, 1, 70, 50)}),
            {},
            "must have a mask of the region 'right'",
        ),
    ],
)
def test_regions_and_styles_that_do_not_fit_are_refused(paint, content, style, arguments, message):
    with pytest.raises(ValueError, match=message):
        paint(content, style, **arguments)


def test_regions_may_have_dots_as_files_have(paint):
    names = ["sky.left", "sky_left"]
    content = MaskedImage(CONTENT, dict(zip(names, MASKS.values(), strict=True)))
    result = paint(content, dict(zip(names, (DARK, STYLE), strict=True)), num_steps=1)
    plain = paint(MaskedImage(CONTENT, MASKS), {"left": DARK, "right": STYLE}, num_steps=1)
    assert torch.equal(result.image, plain.image)
    terms = {name.partition(".")[0] for name in result.history}
    assert {"style_sky_left", "style_sky_left_"} < terms
