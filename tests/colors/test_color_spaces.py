from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pystyle.colors import (
    linear_to_rgb,
    luminance,
    oklab_to_rgb,
    rgb_to_linear,
    rgb_to_oklab,
    rgb_to_ycbcr,
    rgb_to_yiq,
    ycbcr_to_rgb,
    yiq_to_rgb,
)

FORWARD = {
    "linear": rgb_to_linear,
    "oklab": rgb_to_oklab,
    "ycbcr": rgb_to_ycbcr,
    "yiq": rgb_to_yiq,
}
BACKWARD = {"linear": linear_to_rgb, "oklab": oklab_to_rgb, "ycbcr": ycbcr_to_rgb, "yiq": yiq_to_rgb}
XYZ_OF_LINEAR_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
"""ITU-R BT.709, for the white of daylight (D65)."""
FUNCTIONS = [*FORWARD.values(), *BACKWARD.values(), luminance]


def pixel(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(1, 3, 1, 1)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def channels_last(image: Tensor) -> np.ndarray:
    return image[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("value", "light"),
    # IEC 61966-2-1: the curve, its linear piece, and the place where they meet.
    [(0.0, 0.0), (1.0, 1.0), (0.5, 0.21404114), (0.04, 0.04 / 12.92), (0.73536, 0.5), (-0.5, -0.21404114)],
)
def test_linear_light_has_the_published_values(value, light):
    torch.testing.assert_close(rgb_to_linear(pixel(value, 0, 0)), pixel(light, 0, 0), rtol=0, atol=1e-5)
    torch.testing.assert_close(linear_to_rgb(pixel(light, 0, 0)), pixel(value, 0, 0), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    # CSS Color 4 gives those of the primaries; white and grey have no chroma.
    [
        ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 1, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
        ((1, 1, 1), (1, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_oklab_has_the_published_values(rgb, lab):
    torch.testing.assert_close(rgb_to_oklab(pixel(*rgb)), pixel(*lab), rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("xyz", "lab"),
    # The table of Ottosson's article. All but the first are colours that no screen shows.
    [
        ((0.950, 1.000, 1.089), (1.000, 0.000, 0.000)),
        ((1.000, 0.000, 0.000), (0.450, 1.236, -0.019)),
        ((0.000, 1.000, 0.000), (0.922, -0.671, 0.263)),
        ((0.000, 0.000, 1.000), (0.153, -1.415, -0.449)),
    ],
)
def test_oklab_has_the_published_values_outside_the_gamut(xyz, lab):
    linear = np.linalg.inv(XYZ_OF_LINEAR_RGB) @ np.array(xyz)
    found = rgb_to_oklab(linear_to_rgb(pixel(*linear)))
    torch.testing.assert_close(found, pixel(*lab), rtol=0, atol=1.5e-3)


def test_yiq_is_that_of_scikit_image():
    image = noise(1, 3, 4, 5)
    skimage_color = pytest.importorskip("skimage.color")
    expected = skimage_color.rgb2yiq(channels_last(image))
    np.testing.assert_allclose(channels_last(rgb_to_yiq(image)), expected, atol=1e-7)


def test_linear_light_is_that_of_scikit_image():
    image = noise(1, 3, 4, 5)
    skimage_color = pytest.importorskip("skimage.color")
    expected = skimage_color.rgb2xyz(channels_last(image))
    found = channels_last(rgb_to_linear(image)) @ XYZ_OF_LINEAR_RGB.T
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_ycbcr_is_that_of_pillow_and_jpeg():
    corners = torch.tensor(list(product([0, 64, 255], repeat=3)), dtype=torch.uint8)
    picture = Image.fromarray(corners[None].numpy())
    expected = np.asarray(picture.convert("YCbCr"), dtype=np.float64) / 255
    found = channels_last(rgb_to_ycbcr(corners.T.reshape(1, 3, 1, -1).double() / 255))
    # Pillow rounds to whole levels, and takes half a level beyond the range into it.
    np.testing.assert_allclose(found, expected, atol=1.01 / 255)


def test_luminance_is_that_of_both_spaces_and_one_for_white():
    image = noise(2, 3, 4, 5)
    torch.testing.assert_close(luminance(image), rgb_to_yiq(image)[:, :1])
    torch.testing.assert_close(luminance(image), rgb_to_ycbcr(image)[:, :1])
    torch.testing.assert_close(luminance(torch.ones(1, 3, 1, 1)), torch.ones(1, 1, 1, 1))
    grey = pixel(0.3, 0.3, 0.3)
    torch.testing.assert_close(rgb_to_ycbcr(grey), pixel(0.3, 0.5, 0.5))
    torch.testing.assert_close(rgb_to_yiq(grey), pixel(0.3, 0, 0), rtol=0, atol=1e-7)
    assert luminance(pixel(0.5, 0.25, 1)).item() == pytest.approx(0.5 * 0.299 + 0.25 * 0.587 + 0.114)


@pytest.mark.parametrize("space", FORWARD)
def test_a_conversion_and_its_inverse_give_the_image_back_also_outside_the_gamut(space):
    image = 3 * noise(2, 3, 4, 5) - 1
    for first, second in [(FORWARD, BACKWARD), (BACKWARD, FORWARD)]:
        back = second[space](first[space](image))
        torch.testing.assert_close(back, image, rtol=0, atol=1e-9)


def test_oklab_and_linear_light_resolve_the_darkest_colours():
    image = 1e-9 * noise(1, 3, 4, 5)
    for forward, backward in [(rgb_to_oklab, oklab_to_rgb), (rgb_to_linear, linear_to_rgb)]:
        torch.testing.assert_close(backward(forward(image)), image, rtol=1e-6, atol=0)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_conversions_are_differentiable(function):
    image = (0.1 + 0.8 * noise(1, 3, 2, 2)).requires_grad_()
    assert torch.autograd.gradcheck(function, image)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, -0.1, 1e-30])
def test_values_and_gradients_are_finite_for_black_white_and_grey(function, value):
    image = torch.full((1, 3, 2, 2), value, requires_grad=True)
    converted = function(image)
    (gradient,) = torch.autograd.grad(converted.sum(), image)
    assert converted.isfinite().all()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_type_stays_and_half_precision_is_converted_in_float32(function):
    image = noise(1, 3, 8, 8)
    for dtype, tolerance in [(torch.float32, 1e-6), (torch.bfloat16, 1e-2), (torch.float16, 1e-3)]:
        given = image.to(dtype)
        found = function(given)
        assert found.dtype == dtype
        torch.testing.assert_close(found.double(), function(given.double()), rtol=tolerance, atol=tolerance)
    assert function(image).dtype == torch.float64


@pytest.mark.parametrize("function", FUNCTIONS)
def test_autocast_does_not_change_a_conversion(function):
    image = noise(1, 3, 8, 8).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(function(image), function(image))
        inside = function(image)
    assert torch.equal(inside, function(image))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_image_stays_as_it_is(function):
    image = noise(1, 3, 4, 5)
    before = image.clone()
    function(image)
    assert torch.equal(image, before)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_no_image_is_refused(function):
    with pytest.raises(TypeError, match=r"`image` must be a floating tensor .*, got torch\.uint8"):
        function(torch.zeros(1, 3, 2, 2, dtype=torch.uint8))
    with pytest.raises(TypeError, match=r"`image` must be a tensor, got a ndarray"):
        function(np.zeros((1, 3, 2, 2)))
    for shape in [(3, 2, 2), (1, 1, 2, 2), (1, 4, 2, 2), (1, 3, 0, 2)]:
        with pytest.raises(ValueError, match=r"`image` must have the shape \(batch, 3, height, width\)"):
            function(torch.zeros(shape))
