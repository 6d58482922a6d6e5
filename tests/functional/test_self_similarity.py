import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import self_similarity


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_self_similarity_of_three_vectors_is_worked_out_by_hand() -> None:
    # (1, 0), (0, 2) and (3, 3): right and half right angles.
    features, close = torch.tensor([[[1.0, 0.0, 3.0], [0.0, 2.0, 3.0]]]), 1 - math.sqrt(0.5)
    mean = (1 + close) / 3
    expected = [
        [0, 1 / mean, close / (2 * close / 3)],
        [1 / mean, 0, close / (2 * close / 3)],
        [close / mean, close / mean, 0],
    ]
    torch.testing.assert_close(self_similarity(features)[0], torch.tensor(expected), rtol=1e-5, atol=1e-5)


def test_self_similarity_follows_the_formula() -> None:
    features = noise(2, 3, 2, 4)
    for image, matrix in zip(features.flatten(2).numpy(), self_similarity(features).numpy(), strict=True):
        distances = np.empty((8, 8))
        for i, j in np.ndindex(8, 8):
            a, b = image[:, i], image[:, j]
            distances[i, j] = 1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
        np.testing.assert_allclose(matrix, 8 * distances / distances.sum(0), atol=1e-12)


def test_columns_have_the_mean_one() -> None:
    torch.testing.assert_close(
        self_similarity(noise(2, 5, 6, 6)).mean(1), torch.ones(2, 36, dtype=torch.float64)
    )


def test_self_similarity_does_not_see_lengths_and_rotations() -> None:
    features = noise(1, 4, 3, 5)
    rotation = torch.linalg.qr(noise(4, 4, seed=1)).Q
    lengths = 1 + noise(1, 1, 3, 5, seed=2)
    changed = torch.einsum("ij,njhw->nihw", rotation, features) * lengths
    torch.testing.assert_close(self_similarity(changed), self_similarity(features))


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (1, 3, 1, 1)])
@pytest.mark.parametrize("value", [0.0, 0.3, 2e4])
def test_value_and_gradient_are_finite_for_flat_features(value: float, shape: tuple[int, ...]) -> None:
    features = torch.full(shape, value, requires_grad=True)
    matrix = self_similarity(features)
    (gradient,) = torch.autograd.grad(matrix.square().sum(), features)
    assert matrix.isfinite().all()
    assert gradient.isfinite().all()


def test_rounding_errors_of_a_flat_map_are_not_blown_up() -> None:
    assert self_similarity(torch.full((1, 7, 5, 5), 0.3)).abs().max() < 0.01


def test_self_similarity_has_the_gradient_of_finite_differences() -> None:
    assert torch.autograd.gradcheck(self_similarity, noise(2, 3, 2, 2).requires_grad_())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_large_half_precision_features_do_not_overflow(dtype: torch.dtype) -> None:
    matrix = self_similarity((2e4 * noise(1, 3, 30)).to(dtype))
    assert matrix.dtype == torch.float32
    assert matrix.isfinite().all()


def test_self_similarity_is_the_same_under_autocast() -> None:
    features = noise(1, 8, 20).float()
    expected = self_similarity(features)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(self_similarity(features), expected)


def test_self_similarity_needs_a_position_axis() -> None:
    with pytest.raises(ValueError, match="`features` must have the axes"):
        self_similarity(torch.zeros(3, 4))
