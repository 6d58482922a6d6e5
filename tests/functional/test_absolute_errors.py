import pytest
import torch
from torch import Tensor

from pystyle.functional import mean_absolute_error, mean_squared_error, scaled_squared_error


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_errors_of_four_numbers_are_worked_out_by_hand() -> None:
    left, right = torch.tensor([[1.0, 2.0, 3.0, -4.0]]), torch.tensor([[1.0, 4.0, 0.0, -5.0]])
    assert float(mean_absolute_error(left, right)) == (0 + 2 + 3 + 1) / 4
    assert float(scaled_squared_error(left, right)) == pytest.approx((0 + 4 + 9 + 1) / (0 + 2 + 3 + 1))
    assert float(scaled_squared_error(left, right, eps=8.0)) == 1


def test_the_scaled_error_is_a_mean_over_the_batch() -> None:
    left, right = torch.tensor([[1.0, 1.0], [2.0, 6.0]]), torch.zeros(2, 2)
    assert float(scaled_squared_error(left, right)) == pytest.approx((1 + 40 / 8) / 2)


def gradient_sum(function, difference: Tensor) -> float:
    difference = difference.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(difference, torch.zeros_like(difference)), difference)
    return float(gradient.abs().sum())


@pytest.mark.parametrize("factor", [1e-3, 10.0, 1e4])
def test_the_gradient_of_the_scaled_error_does_not_grow_with_the_difference(factor: float) -> None:
    difference = noise(1, 3, 8, 8)
    assert gradient_sum(scaled_squared_error, factor * difference) == pytest.approx(
        gradient_sum(scaled_squared_error, difference), rel=1e-4
    )
    assert gradient_sum(mean_squared_error, factor * difference) == pytest.approx(
        factor * gradient_sum(mean_squared_error, difference)
    )


def test_the_gradient_of_the_scaled_error_does_not_shrink_with_the_number_of_entries() -> None:
    difference = noise(1, 3, 8, 8)
    tiled = difference.repeat(1, 1, 4, 4)
    assert gradient_sum(scaled_squared_error, tiled) == pytest.approx(
        gradient_sum(scaled_squared_error, difference)
    )


@pytest.mark.parametrize("function", [mean_absolute_error, scaled_squared_error])
def test_errors_of_equal_and_of_empty_tensors_are_0(function) -> None:
    for shape in ((2, 3, 4), (2, 0), (0, 3)):
        left = torch.ones(shape, requires_grad=True)
        value = function(left, left.detach().clone())
        (gradient,) = torch.autograd.grad(value, left)
        assert value == 0
        assert not gradient.any()


@pytest.mark.parametrize("function", [mean_absolute_error, scaled_squared_error])
@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 4, 5), (3, 4, 5), (1, 3, 5, 4)])
def test_errors_do_not_broadcast(function, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"same shape, got \(1, 3, 4, 5\) and .* the same size"):
        function(torch.zeros(1, 3, 4, 5), torch.zeros(shape))


@pytest.mark.parametrize("function", [mean_absolute_error, scaled_squared_error])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_errors_of_half_precision_do_not_overflow(function, dtype: torch.dtype) -> None:
    value = function(torch.full((1, 1000), 2e4, dtype=dtype), torch.zeros(1, 1000, dtype=dtype))
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(2e4, rel=1e-2)


@pytest.mark.parametrize("function", [mean_absolute_error, scaled_squared_error])
def test_errors_have_the_gradient_of_finite_differences(function) -> None:
    pair = noise(2, 5).requires_grad_(), noise(2, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(function, pair)
