import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import patch_nce


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_patch_nce_of_orthogonal_positions_is_worked_out_by_hand() -> None:
    features = torch.eye(3)[None]
    assert patch_nce(features, features, temperature=0.5).tolist() == pytest.approx(
        [math.log(1 + 2 * math.exp(-2))]
    )
    # Position 0 looks like 1, 1 like 2 and 2 like 0.
    confused = patch_nce(features, features.roll(1, 2), temperature=0.5)
    assert confused.tolist() == pytest.approx([math.log(2 + math.exp(2))])


def test_patch_nce_follows_the_formula() -> None:
    features, target = noise(2, 3, 2, 4), noise(2, 3, 2, 4, seed=1)
    expected = []
    for left, right in zip(features.flatten(2).numpy(), target.flatten(2).numpy(), strict=True):
        left, right = left / np.linalg.norm(left, axis=0), right / np.linalg.norm(right, axis=0)
        terms = []
        for i in range(8):
            scores = [np.exp(left[:, i] @ right[:, j] / 0.2) for j in range(8)]
            terms.append(-np.log(scores[i] / sum(scores)))
        expected.append(np.mean(terms))
    np.testing.assert_allclose(patch_nce(features, target, temperature=0.2).numpy(), expected, rtol=1e-10)


def test_the_temperature_is_that_of_the_paper_by_default() -> None:
    features, target = noise(1, 3, 8), noise(1, 3, 8, seed=1)
    assert torch.equal(patch_nce(features, target), patch_nce(features, target, temperature=0.07))


def test_patch_nce_is_the_logarithm_of_the_positions_if_all_look_the_same() -> None:
    flat = torch.ones(1, 3, 2, 5)
    assert patch_nce(flat, flat).tolist() == pytest.approx([math.log(10)])
    assert patch_nce(torch.zeros(1, 3, 2, 5), noise(1, 3, 2, 5).float()).tolist() == pytest.approx(
        [math.log(10)]
    )


def test_patch_nce_falls_when_a_position_moves_to_its_own_and_away_from_others() -> None:
    features, target = noise(1, 3, 6).requires_grad_(), noise(1, 3, 6, seed=1)
    value = patch_nce(features, target).sum()
    (gradient,) = torch.autograd.grad(value, features)
    assert patch_nce((features - 1e-3 * gradient).detach(), target).sum() < value


@pytest.mark.parametrize("value", [0.0, 0.3, 2e4])
def test_value_and_gradient_are_finite_for_flat_features(value: float) -> None:
    features = torch.full((1, 3, 4, 4), value, requires_grad=True)
    for target in (features.detach(), noise(1, 3, 4, 4).float(), torch.zeros(1, 3, 4, 4)):
        result = patch_nce(features, target).sum()
        (gradient,) = torch.autograd.grad(result, features)
        assert result.isfinite()
        assert gradient.isfinite().all()


def test_a_tiny_temperature_does_not_overflow() -> None:
    assert (
        patch_nce(noise(1, 3, 8).float(), noise(1, 3, 8, seed=1).float(), temperature=1e-4).isfinite().all()
    )


def test_patch_nce_has_the_gradient_of_finite_differences() -> None:
    pair = noise(2, 3, 2, 2).requires_grad_(), noise(2, 3, 2, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda f, t: patch_nce(f, t, temperature=0.3), pair)


def test_patch_nce_is_the_same_under_autocast() -> None:
    features, target = noise(1, 8, 20).float(), noise(1, 8, 20, seed=1).float()
    expected = patch_nce(features, target)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(patch_nce(features, target), expected)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="`temperature` must be positive, got 0"):
        patch_nce(noise(1, 3, 4), noise(1, 3, 4), temperature=0)
    with pytest.raises(ValueError, match=r"same shape, got \(1, 3, 4\) and \(1, 3, 5\). Give the image"):
        patch_nce(noise(1, 3, 4), noise(1, 3, 5))
