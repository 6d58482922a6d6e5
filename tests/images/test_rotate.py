import math

import numpy as np
import pytest
import torch

from pystyle.images import rotate


def ramp(height: int, width: int) -> torch.Tensor:
    """Two channels: the x and the y coordinate of each pixel from the centre, scaled into [0, 1]."""
    y, x = torch.meshgrid(
        torch.arange(height).double() - (height - 1) / 2,
        torch.arange(width).double() - (width - 1) / 2,
        indexing="ij",
    )
    return torch.stack((x, y))[None] / 200 + 0.5


@pytest.mark.parametrize("degrees", [-170.0, -7.5, 10.0, 45.0, 89.0, 135.0, 200.0, 375.0])
@pytest.mark.parametrize("size", [(31, 31), (40, 25), (20, 61)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_turned_pixel_comes_from_where_a_counter_clockwise_turn_takes_it(
    degrees: float, size: tuple[int, int], interpolation: str
) -> None:
    turned = 200 * (rotate(ramp(*size), degrees, interpolation=interpolation) - 0.5)  # type: ignore[arg-type]
    place = 200 * (ramp(*turned.shape[2:]) - 0.5)
    # Counter-clockwise on the screen, whose y axis points down: (1, 0) goes to (cos, -sin).
    angle = math.radians(degrees)
    x, y = turned[0]
    np.testing.assert_allclose(math.cos(angle) * x + math.sin(angle) * y, place[0, 0], atol=0.35)
    np.testing.assert_allclose(math.cos(angle) * y - math.sin(angle) * x, place[0, 1], atol=0.35)


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 1), (180, 2), (-90, 3), (270, 3), (720, 0)])
def test_quarter_turns_are_exact(degrees: float, turns: int) -> None:
    image = torch.rand(2, 3, 7, 5)
    turned = rotate(image, degrees)
    np.testing.assert_array_equal(turned.numpy(), np.rot90(image.numpy(), turns, (2, 3)))
    turned.zero_()
    assert image.sum() > 0


@pytest.mark.parametrize("degrees", [3.0, 15.0, 30.0, 44.9, 45.0, 60.0, 87.0])
@pytest.mark.parametrize("size", [(50, 50), (30, 90), (90, 30)])
def test_the_crop_is_the_largest_one_inside_the_turned_image(degrees: float, size: tuple[int, int]) -> None:
    height, width = (side - 1 for side in rotate(torch.rand(1, 1, *size), degrees).shape[2:])
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))

    def inside(height: float, width: float) -> bool:
        across, down = width * cosine + height * sine, width * sine + height * cosine
        return across <= size[1] - 1 + 1e-6 and down <= size[0] - 1 + 1e-6

    assert inside(height, width)
    # The largest area of all proportions, by trying many.
    best = 0.0
    for proportion in np.geomspace(0.01, 100, 2001):
        scale = min(
            (size[1] - 1) / (cosine + proportion * sine), (size[0] - 1) / (sine + proportion * cosine)
        )
        best = max(best, proportion * scale**2)
    assert (height + 1) * (width + 1) >= best
    assert height * width <= best * (1 + 1e-3)


def test_no_pixel_is_invented_at_the_corners() -> None:
    # Bilinear sampling inside the image stays between its values; beyond it there is nothing to read.
    image = torch.rand(1, 1, 30, 40) * 0.2 + 0.4
    turned = rotate(image, 20, interpolation="bilinear")
    assert turned.min() >= 0.4
    assert turned.max() <= 0.6


def test_nearest_neighbours_mix_nothing() -> None:
    mask = (torch.rand(1, 1, 30, 40) > 0.5).float()
    assert set(rotate(mask, 20, interpolation="nearest").unique().tolist()) == {0.0, 1.0}


def test_the_result_stays_between_zero_and_one() -> None:
    turned = rotate(torch.rand(1, 3, 40, 40).round(), 30)
    assert turned.min() >= 0
    assert turned.max() <= 1


def test_a_smooth_picture_stays_smooth() -> None:
    def picture(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return 0.5 + 0.4 * torch.sin(0.2 * x + 1) * torch.cos(0.15 * y)

    x, y = 200 * (ramp(60, 71)[0] - 0.5)
    turned = rotate(picture(x, y)[None, None], 12)[0, 0]
    x, y = 200 * (ramp(*turned.shape)[0] - 0.5)
    sine, cosine = math.sin(math.radians(12)), math.cos(math.radians(12))
    expected = picture(cosine * x - sine * y, sine * x + cosine * y)
    # The cubic kernel of torch's `grid_sample` (a = -0.75) bends what curves by this much.
    torch.testing.assert_close(turned, expected, atol=5e-3, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_rotate_keeps_the_dtype(dtype: torch.dtype) -> None:
    image = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0)).to(dtype)
    turned = rotate(image, 10)
    assert turned.dtype == dtype
    torch.testing.assert_close(turned.float(), rotate(image.float(), 10), atol=4e-3, rtol=0)


def test_rotate_lets_gradients_through() -> None:
    image = torch.rand(1, 1, 6, 7, dtype=torch.float64).mul(0.5).add(0.2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: rotate(x, 20, interpolation="bilinear"), image)


def test_an_image_of_one_pixel_can_be_turned() -> None:
    assert torch.equal(rotate(torch.full((1, 3, 1, 1), 0.25), 33), torch.full((1, 3, 1, 1), 0.25))


def test_what_cannot_be_turned_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a floating tensor"):
        rotate(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), 10)
    with pytest.raises(ValueError, match=r"`image` must have shape .* got \(3, 4, 4\)"):
        rotate(torch.rand(3, 4, 4), 10)
    with pytest.raises(ValueError, match="`degrees` must be finite, got nan"):
        rotate(torch.rand(1, 3, 4, 4), math.nan)
    with pytest.raises(ValueError, match="`interpolation` must be one of"):
        rotate(torch.rand(1, 3, 4, 4), 10, interpolation="cubic")  # type: ignore[arg-type]
