import pytest
import torch

from pystyle.functional import mean_squared_error


def test_mean_squared_error_of_four_numbers_is_worked_out_by_hand() -> None:
    left, right = torch.tensor([[1.0, 2.0], [3.0, -4.0]]), torch.tensor([[1.0, 4.0], [0.0, -5.0]])
    assert mean_squared_error(left, right) == (0 + 4 + 9 + 1) / 4


def test_mean_squared_error_of_empty_tensors_is_0() -> None:
    empty = torch.zeros(2, 0, 3, requires_grad=True)
    value = mean_squared_error(empty, empty)
    assert value == 0
    value.backward()


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 4, 5), (3, 4, 5), (1, 3, 5, 4)])
def test_mean_squared_error_does_not_broadcast(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"same shape, got \(1, 3, 4, 5\) and .* the same size"):
        mean_squared_error(torch.zeros(1, 3, 4, 5), torch.zeros(shape))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mean_squared_error_of_half_precision_does_not_overflow(dtype: torch.dtype) -> None:
    value = mean_squared_error(torch.full((100,), 2e4, dtype=dtype), torch.zeros(100, dtype=dtype))
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(4e8, rel=1e-2)


def test_mean_squared_error_refuses_integers() -> None:
    with pytest.raises(TypeError, match=r"floating-point features, got torch\.int64"):
        mean_squared_error(torch.zeros(3, dtype=torch.int64), torch.zeros(3, dtype=torch.int64))


def test_mean_squared_error_has_the_gradient_of_finite_differences() -> None:
    left = torch.rand(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    right = left.detach().square().requires_grad_()
    assert torch.autograd.gradcheck(mean_squared_error, (left, right))


def test_weights_count_but_do_not_divide() -> None:
    left, right = torch.tensor([[1.0, 2.0], [3.0, -4.0]]), torch.tensor([[1.0, 4.0], [0.0, -5.0]])
    assert mean_squared_error(left, right, torch.tensor([[1.0, 0.5], [2.0, 3.0]])) == (0 + 2 + 18 + 3) / 4
    assert mean_squared_error(left, right, torch.tensor([[1.0], [2.0]])) == (0 + 4 + 18 + 2) / 4
    assert mean_squared_error(left, right, torch.zeros(1, 1)) == 0


@pytest.mark.parametrize("shape", [(2, 3), (1,), (4, 1), (1, 2, 3), (2, 4, 3)])
def test_weights_must_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"`weights` must have the shape \(2, 4\) of `input`, or 1 along some"
    ):
        mean_squared_error(torch.zeros(2, 4), torch.zeros(2, 4), torch.ones(shape))


def test_weights_follow_the_precision_of_the_difference() -> None:
    left = torch.zeros(3, dtype=torch.float64)
    assert mean_squared_error(left, left + 1, torch.ones(3)).dtype == torch.float64
