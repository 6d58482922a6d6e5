import pytest
import torch

from pystyle.functional import unit_vectors


def test_unit_vectors_have_length_1_at_every_position() -> None:
    features = torch.tensor([[[3.0, -5.0], [4.0, 12.0]]])  # (3, 4) and (-5, 12)
    expected = torch.tensor([[[3 / 5, -5 / 13], [4 / 5, 12 / 13]]])
    torch.testing.assert_close(unit_vectors(features), expected)


def test_unit_vectors_of_nothing_are_0_with_a_finite_gradient() -> None:
    features = torch.zeros(1, 4, 2, 2, requires_grad=True)
    value = unit_vectors(features)
    (gradient,) = torch.autograd.grad(value.sum(), features)
    assert torch.equal(value, torch.zeros_like(value))
    torch.testing.assert_close(gradient, torch.full_like(gradient, 1e4))


def test_unit_vectors_of_large_half_precision_features_do_not_overflow() -> None:
    value = unit_vectors(torch.full((1, 4, 1, 1), 2e4, dtype=torch.float16))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, torch.full_like(value, 0.5))


def test_unit_vectors_have_the_gradient_of_finite_differences() -> None:
    features = torch.rand(2, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(unit_vectors, features.requires_grad_())


def test_unit_vectors_need_channels() -> None:
    with pytest.raises(ValueError, match=r"must have the axes \(batch, channels, \.\.\.\), got \(3,\)"):
        unit_vectors(torch.zeros(3))
