"""An image that wraps is resized as the middle of many such images beside each other."""

import pytest
import torch

from pystyle.images import resize

AXES = {"both": (2, 3), "horizontal": (3,)}


def image(height, width, dtype=torch.float64):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("size", [(8, 12), (24, 20), (7, 11), (3, 2), (16, 40), (5, 16)])
def test_it_is_the_middle_of_many_resized_together(size, wrap, interpolation):
    one = image(16, 20)
    rows = 9 if wrap == "both" else 1
    many = resize(one.repeat(1, 1, rows, 9), (rows * size[0], 9 * size[1]), interpolation=interpolation)
    expected = many[:, :, :, 4 * size[1] : 5 * size[1]]
    if wrap == "both":
        expected = expected[:, :, 4 * size[0] : 5 * size[0]]
    found = resize(one, size, interpolation=interpolation, wrap=wrap)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert found.is_contiguous()


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
def test_a_shifted_image_gives_the_shifted_picture(wrap):
    one, axes = image(16, 16), AXES[wrap]
    count = len(axes)
    found = resize(one.roll([4] * count, axes), (24, 24), wrap=wrap)
    torch.testing.assert_close(found, resize(one, (24, 24), wrap=wrap).roll([6] * count, axes))


def test_what_keeps_its_size_or_is_a_mask_has_nothing_to_mix():
    one = image(6, 8, torch.float32)
    assert torch.equal(resize(one, (6, 8), wrap="both"), one)
    nearest = resize(one, (3, 4), interpolation="nearest")
    assert torch.equal(resize(one, (3, 4), interpolation="nearest", wrap="both"), nearest)


def test_half_precision_and_a_single_pixel():
    half = resize(image(4, 6, torch.float32).half(), (2, 3), wrap="both")
    assert half.dtype == torch.float16
    pixel = image(1, 1, torch.float32)
    torch.testing.assert_close(resize(pixel, (3, 5), wrap="both"), pixel.expand(-1, -1, 3, 5))


def test_gradients_flow():
    one = image(3, 4).requires_grad_()
    inside = (one.detach() * 0.5 + 0.2).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: resize(x, (5, 6), wrap="both", interpolation="bilinear"), (inside,)
    )


def test_an_unknown_wrap_is_refused():
    with pytest.raises(ValueError, match="`wrap` must be 'both'"):
        resize(image(4, 4), 2, wrap="vertical")
