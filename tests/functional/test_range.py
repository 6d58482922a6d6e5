import pytest
import torch

from pystyle.functional import p_norm, range_excess


def noise(*shape: int) -> torch.Tensor:
    return 3 * torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1


def test_range_excess_is_the_mean_squared_distance_from_the_range() -> None:
    values = torch.tensor([[-1.0, -0.5, 0.0, 0.5], [1.0, 1.5, 3.0, 0.25]])
    assert float(range_excess(values)) == (1 + 0.25 + 0.25 + 4) / 8
    assert float(range_excess(values, low=-0.5, high=1.5)) == (0.25 + 2.25) / 8


def test_range_excess_has_no_gradient_inside_the_range_and_points_outward_outside() -> None:
    values = torch.tensor([-2.0, 0.0, 0.5, 1.0, 2.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(range_excess(values), values)
    assert gradient.tolist() == pytest.approx([-4 / 5, 0, 0, 0, 2 / 5])


def test_p_norm_of_a_few_values_is_worked_out_by_hand() -> None:
    values = torch.tensor([0.5, 0.25, 0.0, 1.0, 2.0])
    assert float(p_norm(values)) == pytest.approx((0 + 1 / 64 + 1 + 1 + 3**6) / 5)
    assert float(p_norm(values, exponent=1)) == pytest.approx((0 + 0.5 + 1 + 1 + 3) / 5)
    assert float(p_norm(values, exponent=3, center=0.0, radius=2.0)) == pytest.approx(
        (1 / 64 + 1 / 512 + 0 + 1 / 8 + 1) / 5
    )


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 6.0])
def test_p_norm_has_a_finite_gradient_at_its_centre(exponent: float) -> None:
    values = torch.full((3,), 0.5, requires_grad=True)
    (gradient,) = torch.autograd.grad(p_norm(values, exponent=exponent), values)
    assert torch.equal(gradient, torch.zeros(3))


@pytest.mark.parametrize("exponent", [1.0, 2.5, 6.0])
def test_both_have_the_gradient_of_finite_differences(exponent: float) -> None:
    image = noise(1, 2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(range_excess, image)
    assert torch.autograd.gradcheck(lambda x: p_norm(x, exponent=exponent), image)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_both_are_computed_in_float32(dtype: torch.dtype) -> None:
    image = torch.full((1, 1, 2, 2), 2e4, dtype=dtype)
    assert float(range_excess(image)) == pytest.approx(4e8, rel=1e-2)
    assert float(p_norm(image)) == pytest.approx((4e4) ** 6, rel=5e-2)


def test_both_are_0_for_empty_tensors() -> None:
    assert range_excess(torch.zeros(0)) == p_norm(torch.zeros(0)) == 0


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`low` must be below `high`, got 1\.0 and 1\.0"):
        range_excess(torch.zeros(1), low=1.0)
    with pytest.raises(ValueError, match="`exponent` must be positive, got 0"):
        p_norm(torch.zeros(1), exponent=0)
    with pytest.raises(ValueError, match="`radius` must be positive, got -1"):
        p_norm(torch.zeros(1), radius=-1)
    with pytest.raises(TypeError, match="floating-point"):
        range_excess(torch.zeros(1, dtype=torch.int64))
