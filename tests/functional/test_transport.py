import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import (
    histogram_match,
    quantile_distance,
    random_directions,
    sliced_wasserstein_distance,
    sorted_projections,
)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ascending(count: int, seed: int) -> Tensor:
    return noise(count, seed=seed).sort().values


def cheapest_assignment(left: list[float], right: list[float]) -> float:
    """The squared Wasserstein distance of sets of equal size, by trying all permutations."""
    costs = (
        sum((a - b) ** 2 for a, b in zip(left, order, strict=True)) for order in itertools.permutations(right)
    )
    return min(costs) / len(left)


def repeated(values: np.ndarray, times: int) -> np.ndarray:
    return np.repeat(values, times, axis=-1)


def test_quantile_distance_of_few_numbers_is_worked_out_by_hand() -> None:
    # Halves against thirds: 0 meets 1 for 1/3 and 2 for 1/6; 6 meets 2 for 1/6 and 9 for 1/3.
    values, target = torch.tensor([0.0, 6.0]), torch.tensor([1.0, 2.0, 9.0])
    expected = 1 / 3 * 1 + 1 / 6 * 4 + 1 / 6 * 16 + 1 / 3 * 9
    assert float(quantile_distance(values, target)) == pytest.approx(expected)
    assert float(quantile_distance(target, values)) == pytest.approx(expected)


def test_quantile_distance_is_the_cheapest_transport() -> None:
    for seed in range(5):
        left, right = ascending(4, seed), ascending(4, seed + 10)
        expected = cheapest_assignment(left.tolist(), right.tolist())
        assert float(quantile_distance(left, right)) == pytest.approx(expected)


def test_quantile_distance_is_the_cheapest_transport_of_divided_masses() -> None:
    left, right = ascending(2, 0), ascending(3, 1)
    expected = cheapest_assignment(left.repeat(3).tolist(), right.repeat(2).tolist())
    assert float(quantile_distance(left, right)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("count", "target_count"), [(6, 4), (4, 6), (5, 1), (1, 5), (7, 11), (30, 10), (12, 12)]
)
def test_quantile_distance_of_any_sizes_agrees_with_repeated_numbers(count: int, target_count: int) -> None:
    values, target = noise(3, count).sort().values, noise(3, target_count, seed=1).sort().values
    common = math.lcm(count, target_count)
    left = repeated(values.numpy(), common // count)
    right = repeated(target.numpy(), common // target_count)
    distance = quantile_distance(values, target)
    assert distance.shape == (3,)
    np.testing.assert_allclose(distance.numpy(), ((left - right) ** 2).mean(-1), rtol=1e-12)


def test_quantile_distance_is_precise_for_many_numbers_of_different_count() -> None:
    # Two samplings of the same ramp: the distance is that of their steps, 1e-10 at most.
    ramps = [(torch.arange(count) + 0.5) / count for count in (99_991, 65_536)]
    assert 0 < float(quantile_distance(*ramps)) < 1e-9


@pytest.mark.parametrize("counts", [(5, 5), (5, 3), (3, 5)])
def test_quantile_distance_has_the_gradient_of_finite_differences(counts: tuple[int, int]) -> None:
    values, target = (noise(2, n, seed=n).sort().values.requires_grad_() for n in counts)
    assert torch.autograd.gradcheck(quantile_distance, (values, target))


def test_quantile_distance_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"same shape but for the last axis, got \(2, 3\) and \(3, 3\)"):
        quantile_distance(torch.zeros(2, 3), torch.zeros(3, 3))
    with pytest.raises(ValueError, match="must not be empty, got 3 and 0 numbers"):
        quantile_distance(torch.zeros(3), torch.zeros(0))


def test_projections_are_sorted_products_with_the_directions() -> None:
    features, directions = noise(2, 3, 4, 5), noise(6, 3, seed=1)
    projections = sorted_projections(features, directions)
    for image, found in zip(features.flatten(2).numpy(), projections.numpy(), strict=True):
        np.testing.assert_allclose(found, np.sort(directions.numpy() @ image, axis=1), rtol=1e-12, atol=1e-14)


def test_each_image_may_have_its_own_directions() -> None:
    features, directions = noise(2, 3, 4), noise(2, 6, 3, seed=1)
    both = sorted_projections(features, directions)
    for index in range(2):
        single = sorted_projections(features[index : index + 1], directions[index])
        torch.testing.assert_close(both[index : index + 1], single)


@pytest.mark.parametrize("shape", [(6, 2), (3,), (3, 6), (1, 1, 6, 3)])
def test_directions_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"must have the shape \(directions, channels\) for features of 3"):
        sorted_projections(noise(1, 3, 4, 5), torch.zeros(shape))


def test_sliced_distance_is_the_mean_over_directions_and_of_each_image() -> None:
    features, target, directions = noise(2, 3, 4, 5), noise(2, 3, 2, 10, seed=1), noise(7, 3, seed=2)
    expected = []
    for left, right in zip(features.flatten(2).numpy(), target.flatten(2).numpy(), strict=True):
        squares = [
            np.mean((np.sort(direction @ left) - np.sort(direction @ right)) ** 2)
            for direction in directions.numpy()
        ]
        expected.append(np.mean(squares))
    distance = sliced_wasserstein_distance(features, target, directions)
    np.testing.assert_allclose(distance.numpy(), expected, rtol=1e-12)


def test_sliced_distance_ignores_the_order_of_positions_and_repetitions() -> None:
    features, directions = noise(1, 3, 4, 5), noise(7, 3, seed=2)
    shuffled = features.flatten(2)[:, :, torch.randperm(20, generator=torch.Generator().manual_seed(0))]
    assert float(sliced_wasserstein_distance(features, shuffled, directions)) == pytest.approx(0, abs=1e-20)
    thrice = torch.cat([features] * 3, dim=3)
    assert float(sliced_wasserstein_distance(features, thrice, directions)) == pytest.approx(0, abs=1e-20)


def test_sliced_distance_sees_what_means_and_covariances_do_not() -> None:
    # Both have the mean 0 and the variance 1: two points, and one in the middle with rare far ones.
    two = torch.tensor([[[-1.0, 1.0] * 4]])
    rare = torch.tensor([[[-2.0, 2.0] + [0.0] * 6]])
    direction = torch.ones(1, 1)
    expected = (1 + 1 + 6) / 8
    assert float(sliced_wasserstein_distance(two, rare, direction)) == pytest.approx(expected)


def test_sliced_distance_of_shifted_features_is_the_squared_shift_per_channel() -> None:
    features, shift = noise(1, 5, 6, 6).float(), torch.tensor([3.0, 0.0, -4.0, 0.0, 0.0])
    directions = random_directions(20_000, 5, generator=torch.Generator().manual_seed(0))
    distance = sliced_wasserstein_distance(features, features + shift[:, None, None], directions)
    assert float(distance) == pytest.approx(25 / 5, rel=0.03)


def test_tags_confine_the_transport_to_regions() -> None:
    features, target = noise(1, 3, 12), noise(1, 3, 12, seed=1)
    tags = torch.tensor([0.0] * 8 + [1e4] * 4, dtype=torch.float64).expand(1, 1, 12)
    directions = noise(5, 3, seed=2)
    tagged = torch.cat((directions, torch.ones(5, 1, dtype=torch.float64)), dim=1)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    left = torch.cat((features, tags), dim=1)[:, :, order]
    right = torch.cat((target, tags), dim=1)
    regions = [
        sliced_wasserstein_distance(features[..., region], target[..., region], directions)
        for region in (slice(0, 8), slice(8, 12))
    ]
    expected = 8 / 12 * regions[0] + 4 / 12 * regions[1]
    torch.testing.assert_close(sliced_wasserstein_distance(left, right, tagged), expected, rtol=1e-6, atol=0)


def test_sliced_distance_has_the_gradient_of_finite_differences() -> None:
    directions = noise(4, 2, seed=2)
    for width in (3, 4):
        pair = noise(1, 2, 3).requires_grad_(), noise(1, 2, width, seed=1).requires_grad_()
        assert torch.autograd.gradcheck(lambda f, t: sliced_wasserstein_distance(f, t, directions), pair)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sliced_distance_of_large_half_precision_features_does_not_overflow(dtype: torch.dtype) -> None:
    features, target = torch.full((1, 2, 4), 2e4, dtype=dtype), torch.zeros(1, 2, 3, dtype=dtype)
    distance = sliced_wasserstein_distance(features, target, torch.eye(2))
    assert distance.dtype == torch.float32
    assert float(distance) == pytest.approx(4e8, rel=1e-2)


def test_sliced_distance_is_the_same_under_autocast() -> None:
    features, target, directions = (
        noise(1, 8, 30).float(),
        noise(1, 8, 30, seed=1).float(),
        noise(8, 8).float(),
    )
    expected = sliced_wasserstein_distance(features, target, directions)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(sliced_wasserstein_distance(features, target, directions), expected)


@pytest.mark.parametrize("shape", [(1, 4, 5, 5), (2, 3, 5, 5)])
def test_sets_of_other_batches_or_channels_are_refused(shape: tuple[int, ...]) -> None:
    for function in (
        histogram_match,
        lambda f, t: sliced_wasserstein_distance(f, t, torch.ones(1, 3)),
    ):
        with pytest.raises(ValueError, match="must have the same batch size and channels"):
            function(torch.zeros(1, 3, 5, 5), torch.zeros(shape))


def test_sets_without_positions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at least one channel and position, got \(1, 3, 1, 0\)"):
        sliced_wasserstein_distance(torch.zeros(1, 3, 1, 0), torch.zeros(1, 3, 1, 4), torch.ones(1, 3))


def test_matched_features_have_the_values_of_the_target_in_their_own_order() -> None:
    features = torch.tensor([[[[0.5, 0.1], [0.9, 0.2]], [[4.0, 3.0], [2.0, 1.0]]]])
    target = torch.tensor([[[[30.0, 10.0, 20.0, 40.0]], [[5.0, 8.0, 6.0, 7.0]]]])
    expected = torch.tensor([[[[30.0, 10.0], [40.0, 20.0]], [[8.0, 7.0], [6.0, 5.0]]]])
    assert torch.equal(histogram_match(features, target), expected)


def test_features_matched_to_more_positions_get_means_of_the_quantiles() -> None:
    matched = histogram_match(torch.tensor([[[2.0, 1.0]]]), torch.tensor([[[1.0, 2.0, 9.0]]]))
    # The lower half is made of 1 and half of 2, the upper one of the other half and 9.
    torch.testing.assert_close(matched, torch.tensor([[[20 / 3, 4 / 3]]]))


def test_features_matched_to_fewer_positions_share_their_values() -> None:
    matched = histogram_match(torch.tensor([[[3.0, 1.0, 2.0, 4.0]]]), torch.tensor([[[7.0, 5.0]]]))
    torch.testing.assert_close(matched, torch.tensor([[[7.0, 5.0, 5.0, 7.0]]]))


def test_matched_features_are_a_constant_for_the_features() -> None:
    features, target = noise(1, 2, 3, 4).requires_grad_(), noise(1, 2, 3, 4, seed=1)
    before = features.detach().clone()
    assert not histogram_match(features, target).requires_grad
    assert torch.equal(features.detach(), before)


def test_equal_values_are_matched_in_the_order_of_positions() -> None:
    matched = histogram_match(torch.zeros(1, 1, 2, 2), torch.tensor([[[3.0, 1.0, 4.0, 2.0]]]))
    assert matched.tolist() == [[[[1.0, 2.0], [3.0, 4.0]]]]
