from typing import Literal, TypeAlias

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import total_variation

Variant: TypeAlias = Literal["isotropic", "anisotropic", "nine_point"]

# Corners with a right and a lower neighbour: 0 (differences 3 and 4) and 3 (differences -3 and 6).
IMAGE = torch.tensor([[[[0.0, 3.0, 0.0], [4.0, 9.0, 7.0]]]])


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_total_variation_with_exponent_2_is_the_mean_squared_gradient() -> None:
    assert float(total_variation(IMAGE)) == pytest.approx((9 + 16 + 9 + 36) / 2)


def test_total_variation_with_exponent_1_is_the_mean_length_of_the_gradient() -> None:
    assert float(total_variation(IMAGE, exponent=1.0)) == pytest.approx((5 + 45**0.5) / 2)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_total_variation_follows_the_formula(exponent: float) -> None:
    image = noise(2, 3, 5, 7)
    array, powers = image.numpy(), []
    for n, c, y, x in np.ndindex(2, 3, 4, 6):
        right = array[n, c, y, x + 1] - array[n, c, y, x]
        below = array[n, c, y + 1, x] - array[n, c, y, x]
        powers.append((right**2 + below**2) ** (exponent / 2))
    assert float(total_variation(image, exponent=exponent)) == pytest.approx(np.mean(powers), rel=1e-12)


def test_total_variation_does_not_grow_with_the_size_of_the_image() -> None:
    ramp = torch.arange(40.0) / 10
    small, large = ramp[:10].expand(1, 1, 10, 10), ramp.expand(1, 1, 40, 40)
    torch.testing.assert_close(total_variation(small), torch.tensor(0.01))
    torch.testing.assert_close(total_variation(large), torch.tensor(0.01))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_total_variation_of_a_flat_image_is_0_and_so_is_its_gradient(exponent: float, value: float) -> None:
    image = torch.full((1, 3, 6, 6), value, requires_grad=True)
    variation = total_variation(image, exponent=exponent)
    (gradient,) = torch.autograd.grad(variation, image)
    assert variation == 0
    assert torch.equal(gradient, torch.zeros_like(image))


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3, 1, 9), (1, 3, 9, 1)])
def test_total_variation_of_a_single_row_or_column_is_0(shape: tuple[int, ...], exponent: float) -> None:
    image = noise(*shape).requires_grad_()
    variation = total_variation(image, exponent=exponent)
    (gradient,) = torch.autograd.grad(variation, image)
    assert variation == 0
    assert torch.equal(gradient, torch.zeros_like(image))


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
def test_total_variation_has_the_gradient_of_finite_differences(exponent: float) -> None:
    image = noise(1, 2, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: total_variation(x, exponent=exponent), image)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_total_variation_of_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    image = torch.tensor([[0.0, 2e4], [0.0, 0.0]], dtype=dtype)[None, None]
    variation = total_variation(image)
    assert variation.dtype == torch.float32
    assert float(variation) == pytest.approx(4e8, rel=1e-2)


@pytest.mark.parametrize("exponent", [0.0, -1.0])
def test_total_variation_refuses_an_exponent_that_is_not_positive(exponent: float) -> None:
    with pytest.raises(ValueError, match=f"`exponent` must be positive, got {exponent}"):
        total_variation(IMAGE, exponent=exponent)


def test_total_variation_needs_height_and_width() -> None:
    with pytest.raises(ValueError, match=r"`image` must have the axes \(\.\.\., height, width\), got \(4,\)"):
        total_variation(torch.zeros(4))


# Rows 0 3 0 and 4 9 7: across |3| |-3| and |5| |-2|; down |4| |6| |7|; falling |9| |4|; rising |1| |9|.
ACROSS, DOWN, FALLING, RISING = (3.0, 3.0, 5.0, 2.0), (4.0, 6.0, 7.0), (9.0, 4.0), (1.0, 9.0)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_anisotropic_total_variation_is_the_mean_of_both_absolute_differences(exponent: float) -> None:
    expected = sum(d**exponent for d in ACROSS) / 4 + sum(d**exponent for d in DOWN) / 3
    value = total_variation(IMAGE, exponent=exponent, variant="anisotropic")
    assert float(value) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_nine_point_total_variation_looks_at_all_neighbours(exponent: float) -> None:
    # With the outermost pixels repeated, the first and the last row come twice, and so do the columns; at the
    # border a diagonal difference becomes one along the border.
    across = 2 * (3.0**exponent + 3.0**exponent + 5.0**exponent + 2.0**exponent) / (4 * 4)
    down = (2 * 4.0**exponent + 6.0**exponent + 2 * 7.0**exponent) / (3 * 5)
    border = sum(d**exponent for d in ACROSS) + 4.0**exponent + 7.0**exponent
    falling, rising = ((sum(d**exponent for d in inner) + border) / (3 * 4) for inner in (FALLING, RISING))
    expected = 2 * (across / 3 + down / 3 + falling / 12 + rising / 12)
    value = total_variation(IMAGE, exponent=exponent, variant="nine_point")
    assert float(value) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("variant", ["isotropic", "anisotropic", "nine_point"])
@pytest.mark.parametrize(("x", "y"), [(0.25, 0.0), (0.0, -0.25), (0.125, 0.25)])
def test_every_variant_of_a_ramp_is_its_squared_slope(variant: Variant, x: float, y: float) -> None:
    rows, columns = torch.meshgrid(torch.arange(300.0), torch.arange(300.0), indexing="ij")
    value = total_variation((x * columns + y * rows)[None, None], variant=variant)
    assert float(value) == pytest.approx(x**2 + y**2, rel=0.02)  # the borders


@pytest.mark.parametrize("variant", ["anisotropic", "nine_point"])
@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_no_variant_has_a_gradient_on_a_flat_image(variant: Variant, exponent: float) -> None:
    image = torch.full((1, 3, 6, 6), 0.5, requires_grad=True)
    variation = total_variation(image, exponent=exponent, variant=variant)
    (gradient,) = torch.autograd.grad(variation, image)
    assert variation == 0
    assert torch.equal(gradient, torch.zeros_like(image))


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3, 1, 9), (1, 3, 9, 1), (4, 5), (2, 4, 5)])
@pytest.mark.parametrize("variant", ["anisotropic", "nine_point"])
def test_other_variants_take_maps_of_any_shape(variant: Variant, shape: tuple[int, ...]) -> None:
    image = noise(*shape).requires_grad_()
    variation = total_variation(image, exponent=1.0, variant=variant)
    (gradient,) = torch.autograd.grad(variation, image)
    assert (variation > 0) == (image.numel() > 3)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("variant", ["anisotropic", "nine_point"])
def test_other_variants_have_the_gradient_of_finite_differences(variant: Variant, exponent: float) -> None:
    image = noise(1, 2, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: total_variation(x, exponent=exponent, variant=variant), image)


def test_total_variation_refuses_an_unknown_variant() -> None:
    with pytest.raises(ValueError, match=r"`variant` must be one of \('isotropic', .*\), got 'diagonal'"):
        total_variation(IMAGE, variant="diagonal")  # type: ignore[arg-type]
