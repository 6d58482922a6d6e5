from functools import partial

import pytest
import torch
from torch import Tensor

from pystyle import stylize
from pystyle.colors import luminance, match_colors, match_luminance, rgb_to_yiq
from pystyle.encoders import SequentialEncoder, alexnet
from pystyle.images import resize


def picture(seed: int, height: int, width: int, low: Tensor, high: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    smooth = resize(torch.rand(1, 3, height // 6, width // 6, generator=generator), (height, width))
    return low.reshape(1, 3, 1, 1) + (high - low).reshape(1, 3, 1, 1) * smooth


# A bluish photograph and reddish paintings, away from black and white.
CONTENT = picture(0, 48, 64, torch.tensor([0.3, 0.4, 0.5]), torch.tensor([0.5, 0.6, 0.8]))
STYLE = picture(1, 70, 50, torch.tensor([0.4, 0.2, 0.1]), torch.tensor([1.0, 0.6, 0.4]))
OTHER_STYLE = picture(2, 60, 60, torch.tensor([0.5, 0.0, 0.0]), torch.tensor([0.9, 0.5, 0.1]))


@pytest.fixture(scope="module")
def encoder() -> SequentialEncoder:
    return alexnet(weights=None)


@pytest.fixture
def paint(encoder):
    return partial(
        stylize, encoder=encoder, edge_size=36, num_steps=3, device="cpu", precision="float32", seed=0
    )


def colour(image: Tensor) -> Tensor:
    return image.mean((0, 2, 3))


def test_the_default_takes_the_colours_of_the_style(paint):
    images = [
        paint(CONTENT, STYLE, num_steps=1, **arguments).image for arguments in ({}, {"colors": "style"})
    ]
    assert torch.equal(*images)


def test_the_content_keeps_its_colours_when_the_style_gets_them(paint):
    result = paint(CONTENT, STYLE, colors="content", num_steps=6)
    by_hand = paint(CONTENT, match_colors(STYLE, CONTENT), num_steps=6, init="content")
    assert torch.equal(result.image, by_hand.image)
    assert result.history["total"] == by_hand.history["total"]
    usual = paint(CONTENT, STYLE, num_steps=6)
    kept, lost = ((colour(image) - colour(CONTENT)).norm() for image in (result.image, usual.image))
    assert kept < 0.2 * lost


def test_every_style_gets_the_colours_of_the_content(paint):
    both = paint(CONTENT, [STYLE, OTHER_STYLE], style_weights=[2, 1], colors="content")
    matched = [match_colors(style, CONTENT) for style in (STYLE, OTHER_STYLE)]
    assert torch.equal(both.image, paint(CONTENT, matched, style_weights=[2, 1], init="content").image)


def grey(channel: Tensor) -> Tensor:
    return channel.expand(-1, 3, -1, -1)


def test_with_luminance_the_run_sees_grey_pictures_only(paint):
    result = paint(CONTENT, [STYLE, OTHER_STYLE], colors="luminance")
    styles = [grey(match_luminance(style, CONTENT)) for style in (STYLE, OTHER_STYLE)]
    by_hand = paint(grey(luminance(CONTENT)), styles, init="content")
    assert result.history["total"] == by_hand.history["total"]
    torch.testing.assert_close(luminance(result.image), luminance(by_hand.image), rtol=0, atol=1e-5)


def test_with_luminance_the_chroma_of_the_content_stays_pixel_by_pixel(paint):
    result = paint(CONTENT, STYLE, colors="luminance")
    chroma = rgb_to_yiq(resize(CONTENT, 36))[:, 1:]
    torch.testing.assert_close(rgb_to_yiq(result.image)[:, 1:], chroma, rtol=0, atol=1e-4)
    assert (luminance(result.image) - luminance(resize(CONTENT, 36))).abs().max() > 0.02


def test_with_luminance_an_image_to_start_from_becomes_grey(paint):
    for init, same in [(OTHER_STYLE, grey(luminance(OTHER_STYLE))), (CONTENT, "content")]:
        first, second = (paint(CONTENT, STYLE, colors="luminance", init=start) for start in (init, same))
        assert first.history["total"] == pytest.approx(second.history["total"], rel=1e-4)


def test_with_luminance_callbacks_see_the_picture_in_colour_and_may_stop(paint):
    class Looks:
        def __init__(self):
            self.steps, self.images, self.closed = [], [], 0

        def __call__(self, step):
            self.steps.append((step.index, step.num_steps, step.level, step.fraction))
            self.images.append(step.image)
            if step.index == 2:
                step.stop("enough")

        def close(self):
            self.closed += 1

    looks, plain = Looks(), Looks()
    result = paint(CONTENT, STYLE, colors="luminance", callbacks=[looks])
    paint(CONTENT, STYLE, callbacks=[plain])
    assert result.stop_reason == "enough"
    assert looks.closed == plain.closed
    assert looks.steps == plain.steps
    assert torch.equal(looks.images[-1], result.image)
    chroma = rgb_to_yiq(resize(CONTENT, 36))[:, 1:]
    torch.testing.assert_close(rgb_to_yiq(looks.images[0])[:, 1:], chroma, rtol=0, atol=1e-4)


@pytest.mark.parametrize("colors", ["style", "content", "luminance"])
def test_grey_photographs_and_paintings_give_a_finite_picture(paint, colors):
    flat = torch.full((1, 3, 48, 64), 0.5)
    for content, style in [
        (grey(luminance(CONTENT)), STYLE),
        (CONTENT, grey(luminance(STYLE))),
        (flat, STYLE),
    ]:
        image = paint(content, style, colors=colors, num_steps=2).image
        assert image.isfinite().all()
        assert image.min() >= 0
        assert image.max() <= 1


@pytest.mark.parametrize("colors", ["content", "luminance"])
def test_the_images_of_the_caller_stay_as_they_are(paint, colors):
    images = CONTENT.clone(), STYLE.clone(), OTHER_STYLE.clone()
    paint(images[0], images[1], init=images[2], colors=colors, num_steps=1)
    for image, expected in zip(images, (CONTENT, STYLE, OTHER_STYLE), strict=True):
        assert torch.equal(image, expected)


def test_an_unknown_name_is_refused(paint):
    with pytest.raises(
        ValueError, match=r"`colors` must be one of \('style', 'content', 'luminance'\), got 'o"
    ):
        paint(CONTENT, STYLE, colors="original")
