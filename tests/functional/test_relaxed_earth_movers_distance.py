import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import relaxed_earth_movers_distance

DISTANCES = ["cosine", "euclidean", "palette"]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cost(left: list[float], right: list[float], distance: str) -> float:
    if distance == "palette":
        left, right = [x - 0.5 for x in left], [x - 0.5 for x in right]
    cosine = sum(a * b for a, b in zip(left, right, strict=True)) / (math.hypot(*left) * math.hypot(*right))
    euclidean = math.dist(left, right) / math.sqrt(len(left))
    return {"cosine": 1 - cosine, "euclidean": euclidean, "palette": 1 - cosine + euclidean}[distance]


def cost_matrix(features: Tensor, target: Tensor, distance: str) -> np.ndarray:
    """Of a single image, by plain loops."""
    left, right = (x[0].flatten(1).T.tolist() for x in (features, target))
    return np.array([[cost(a, b, distance) for b in right] for a in left])


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_distance_is_the_larger_of_the_two_means_of_nearest_neighbours(distance: str) -> None:
    for seed, (size, target_size) in enumerate([((4, 5), (3, 4)), ((2, 3), (5, 6)), ((1, 7), (1, 1))]):
        features, target = noise(1, 3, *size, seed=seed), noise(1, 3, *target_size, seed=seed + 10).square()
        matrix = cost_matrix(features, target, distance)
        expected = max(matrix.min(1).mean(), matrix.min(0).mean())
        found = relaxed_earth_movers_distance(features, target, distance=distance)  # type: ignore[arg-type]
        assert found.tolist() == pytest.approx([expected], rel=1e-9)


def test_both_directions_count() -> None:
    # All of the image is in the style, but not all of the style in the image, and the other way round.
    east, north = [1.0, 0.0], [0.0, 1.0]
    one, both = torch.tensor([[east, east]]).mT, torch.tensor([[east, north]]).mT
    assert relaxed_earth_movers_distance(one, both).tolist() == [0.5]
    assert relaxed_earth_movers_distance(both, one).tolist() == [0.5]
    assert relaxed_earth_movers_distance(both, both).tolist() == [0.0]


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_distance_is_a_lower_bound_of_transport(distance: str) -> None:
    for seed in range(4):
        features, target = noise(1, 3, 5, seed=seed), noise(1, 3, 5, seed=seed + 10)
        matrix = cost_matrix(features, target, distance)
        exact = min(
            np.mean([matrix[i, j] for i, j in enumerate(order)]) for order in itertools.permutations(range(5))
        )
        relaxed = relaxed_earth_movers_distance(features, target, distance=distance)  # type: ignore[arg-type]
        assert 0 < float(relaxed) <= exact


def test_cosines_do_not_see_lengths_and_palettes_do() -> None:
    features = noise(1, 3, 4, 4)
    assert float(relaxed_earth_movers_distance(features, 100 * features)) == pytest.approx(0, abs=1e-12)
    for distance in ("euclidean", "palette"):
        far = relaxed_earth_movers_distance(features, 100 * features, distance=distance)  # type: ignore[arg-type]
        assert float(far) > 1


def test_the_palette_is_that_of_decorrelated_colours() -> None:
    # The matrix of the authors' code. Rotated colours are as far from each other as before.
    matrix = torch.tensor(
        [[0.57735, 0.57735, 0.57735], [-0.57735, 0.788675, -0.211325], [-0.57735, -0.211325, 0.788675]],
        dtype=torch.float64,
    )
    features, target = noise(1, 3, 20), noise(1, 3, 30, seed=1)
    plain = relaxed_earth_movers_distance(features, target, distance="palette")
    turned = [(matrix @ (colours - 0.5)) + 0.5 for colours in (features, target)]
    torch.testing.assert_close(
        relaxed_earth_movers_distance(*turned, distance="palette"), plain, rtol=1e-5, atol=0
    )


def test_each_image_of_a_batch_is_compared_with_its_own_target() -> None:
    features, target = noise(2, 3, 4, 4), noise(2, 3, 5, 5, seed=1)
    singles = [relaxed_earth_movers_distance(features[i : i + 1], target[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(relaxed_earth_movers_distance(features, target), torch.cat(singles))


@pytest.mark.slow
def test_many_positions_are_compared_in_pieces_with_the_same_result() -> None:
    # 36 million pairs, more than twice as many as are held at once. Many of the image are to look at few
    # of the target and the other way round, so that either of the two means may be the larger one.
    features, target = noise(1, 5, 9000).float(), noise(1, 5, 4000, seed=1).float()
    for left, right in ((features, target), (features.square(), target), (target, features)):
        unit = [torch.nn.functional.normalize(vectors[0], dim=0) for vectors in (left, right)]
        matrix = 1 - unit[0].T @ unit[1]
        expected = max(float(matrix.amin(axis).mean()) for axis in (0, 1))
        assert float(relaxed_earth_movers_distance(left, right)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("shape", [(1, 3, 2, 2), (1, 3, 3, 4)])
def test_the_gradient_is_that_of_finite_differences(distance: str, shape: tuple[int, ...]) -> None:
    pair = noise(*shape).requires_grad_(), noise(1, 3, 2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f, t: relaxed_earth_movers_distance(f, t, distance=distance),  # type: ignore[arg-type]
        pair,
    )


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_value_and_gradient_are_finite_for_flat_features(distance: str, level: float) -> None:
    for target in (torch.full((1, 3, 4, 4), level), torch.zeros(1, 3, 2, 2), noise(1, 3, 3, 3).float()):
        features = torch.full((1, 3, 4, 4), level, requires_grad=True)
        value = relaxed_earth_movers_distance(features, target, distance=distance)  # type: ignore[arg-type]
        (gradient,) = torch.autograd.grad(value.sum(), features)
        assert value.isfinite().all()
        assert gradient.isfinite().all()


def test_a_vector_without_direction_is_orthogonal_to_all_and_stays_where_it_is() -> None:
    zero, one = torch.zeros(1, 2, 1, requires_grad=True), torch.ones(1, 2, 1)
    for target in (one, zero.detach()):
        value = relaxed_earth_movers_distance(zero, target)
        (gradient,) = torch.autograd.grad(value.sum(), zero)
        assert value.tolist() == [1.0]
        assert not gradient.any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_large_half_precision_features_do_not_overflow(dtype: torch.dtype) -> None:
    features, target = ((2e4 * noise(1, 3, 30, seed=seed)).to(dtype) for seed in (0, 1))
    for distance in DISTANCES:
        value = relaxed_earth_movers_distance(features, target, distance=distance)  # type: ignore[arg-type]
        assert value.dtype == torch.float32
        assert value.isfinite().all()


def test_the_distance_is_the_same_under_autocast() -> None:
    features, target = noise(1, 8, 30).float(), noise(1, 8, 20, seed=1).float()
    expected = [relaxed_earth_movers_distance(features, target, distance=d) for d in DISTANCES]  # type: ignore[arg-type]
    with torch.autocast("cpu", torch.bfloat16):
        found = [relaxed_earth_movers_distance(features, target, distance=d) for d in DISTANCES]  # type: ignore[arg-type]
    assert found == expected


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="must be 'cosine', 'euclidean' or 'palette', got 'l2'"):
        relaxed_earth_movers_distance(noise(1, 3, 4), noise(1, 3, 4), distance="l2")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must have the same batch size and channels"):
        relaxed_earth_movers_distance(noise(1, 3, 4), noise(1, 2, 4))
