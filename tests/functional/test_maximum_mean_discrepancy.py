import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import maximum_mean_discrepancy


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_pairs(vectors: Tensor, reference: Tensor, kernel) -> float:
    x, y = vectors[0].T.numpy(), reference[0].T.numpy()
    half = min(len(x), len(y)) // 2
    last = min(len(x), len(y)) - half
    values = []
    for p in range(half):
        x0, x1, y0, y1 = x[p], x[last + p], y[p], y[last + p]
        values.append(kernel(x0, x1) + kernel(y0, y1) - kernel(x0, y1) - kernel(x1, y0))
    return float(np.mean(values))


@pytest.mark.parametrize("others", [9, 14])
def test_it_is_the_mean_over_pairs(others):
    x, y = noise(1, 4, 9), noise(1, 4, others, seed=1) - 0.3
    found = maximum_mean_discrepancy(x, y, kernel="linear")
    assert float(found) == pytest.approx(by_pairs(x, y, np.dot))
    found = maximum_mean_discrepancy(x, y, kernel="polynomial", degree=3, offset=0.5)
    assert float(found) == pytest.approx(by_pairs(x, y, lambda a, b: (a @ b + 0.5) ** 3))
    found = maximum_mean_discrepancy(x, y, bandwidth=0.7)
    expected = by_pairs(x, y, lambda a, b: np.exp(-((a - b) ** 2).sum() / (2 * 0.49)))
    assert float(found) == pytest.approx(expected)


def test_the_default_bandwidth_is_the_mean_squared_distance_of_the_pairs():
    x, y = noise(1, 3, 2), noise(1, 3, 2, seed=1)
    pairs = [(x[..., 0], x[..., 1]), (y[..., 0], y[..., 1]), (x[..., 0], y[..., 1]), (x[..., 1], y[..., 0])]
    mean = np.mean([float((a - b).square().sum()) for a, b in pairs])
    found = maximum_mean_discrepancy(x, y, bandwidth=(mean / 2) ** 0.5)
    torch.testing.assert_close(maximum_mean_discrepancy(x, y), found)


def test_the_mean_over_orders_is_the_discrepancy_of_all_pairs():
    x, y = noise(1, 3, 6), noise(1, 3, 6, seed=1)
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(4000):
        one, two = (torch.randperm(6, generator=generator) for _ in range(2))
        found.append(float(maximum_mean_discrepancy(x[..., one], y[..., two], kernel="linear")))
    within = [
        sum(float(v[0, :, i] @ v[0, :, j]) for i in range(6) for j in range(6) if i != j) / 30 for v in (x, y)
    ]
    across = 2 * sum(float(x[0, :, i] @ y[0, :, j]) for i in range(6) for j in range(6)) / 36
    assert np.mean(found) == pytest.approx(sum(within) - across, abs=4 * np.std(found) / 4000**0.5)


def test_equal_sets_in_one_order_have_no_discrepancy():
    x = noise(2, 5, 8)
    for kernel in ("linear", "polynomial", "gaussian"):
        assert torch.equal(
            maximum_mean_discrepancy(x, x.clone(), kernel=kernel), torch.zeros(2, dtype=x.dtype)
        )


def test_a_single_vector_and_a_flat_set_are_finite():
    x = torch.zeros(1, 3, 1, requires_grad=True)
    for kernel in ("linear", "polynomial", "gaussian"):
        value = maximum_mean_discrepancy(x, torch.zeros(1, 3, 5), kernel=kernel)
        (gradient,) = torch.autograd.grad(value.sum(), x)
        assert bool(value.isfinite().all() & gradient.isfinite().all())


@pytest.mark.parametrize("kernel", ["linear", "polynomial", "gaussian"])
def test_gradients_are_those_of_the_values(kernel):
    x = noise(2, 3, 5).requires_grad_()
    y = noise(2, 3, 6, seed=1)
    assert torch.autograd.gradcheck(
        lambda x: maximum_mean_discrepancy(x, y, kernel=kernel, offset=0.2, bandwidth=0.8), x
    )


def test_wrong_arguments_are_refused():
    x = noise(1, 3, 4)
    with pytest.raises(ValueError, match="`kernel` must be one of"):
        maximum_mean_discrepancy(x, x, kernel="cubic")
    with pytest.raises(ValueError, match="`degree` must be at least 1, got 0"):
        maximum_mean_discrepancy(x, x, degree=0)
    with pytest.raises(ValueError, match="`bandwidth` must be positive, got 0"):
        maximum_mean_discrepancy(x, x, bandwidth=0.0)
    with pytest.raises(ValueError, match=r"got \(1, 3, 4\) and \(1, 2, 4\)"):
        maximum_mean_discrepancy(x, x[:, :2])
    with pytest.raises(ValueError, match="at least one position"):
        maximum_mean_discrepancy(x, x[:, :, :0])
