import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import total_variation

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
