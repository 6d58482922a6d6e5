import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import (
    mrf_energy,
    nearest_neighbor_distance,
    nearest_neighbors,
    patches,
    replace_features,
)

METRICS = ["cosine", "centered_cosine", "euclidean"]


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64) - 0.3


def distance(left: np.ndarray, right: np.ndarray, metric: str) -> float:
    if metric == "euclidean":
        return math.dist(left, right)
    return 1 - float(left @ right) / (math.hypot(*left) * math.hypot(*right))


def oracle(vectors: Tensor, candidates: Tensor, metric: str) -> tuple[list[int], list[float]]:
    """Neighbours and distances of one image by two loops."""
    points, others = vectors.flatten(1).numpy().T, candidates.flatten(1).numpy().T
    if metric == "centered_cosine":
        points, others = points - points.mean(0), others - others.mean(0)
    table = [[distance(point, other, metric) for other in others] for point in points]
    return [int(np.argmin(row)) for row in table], [min(row) for row in table]


@pytest.mark.parametrize("metric", METRICS)
def test_nearest_neighbors_are_those_of_a_search_through_all_pairs(metric: str) -> None:
    vectors, candidates = noise(2, 5, 3, 7), noise(2, 5, 11, 1, seed=1)
    found = nearest_neighbors(vectors, candidates, metric=metric)  # type: ignore[arg-type]
    assert found.tolist() == [oracle(*pair, metric)[0] for pair in zip(vectors, candidates, strict=True)]


def test_the_metrics_find_different_neighbours_by_hand() -> None:
    vectors = torch.tensor([[[2.0, 0.0], [2.0, 4.0]]])
    candidates = torch.tensor([[[8.0, 2.0, 0.0], [8.0, 3.0, 1.0]]])
    assert nearest_neighbors(vectors, candidates, metric="cosine").tolist() == [[0, 2]]
    assert nearest_neighbors(vectors, candidates, metric="euclidean").tolist() == [[1, 1]]
    # Seen from their means (1, 3) and (10/3, 4) the vectors point to (1, -1) and (-1, 1), the
    # candidates to (4.67, 4), (-1.33, -1) and (-3.33, -3).
    assert nearest_neighbors(vectors, candidates, metric="centered_cosine").tolist() == [[0, 1]]


@pytest.mark.parametrize("metric", METRICS)
def test_more_pairs_than_fit_into_one_block_give_the_same_neighbours(metric: str) -> None:
    vectors, candidates = noise(1, 2, 4100), noise(1, 2, 4100, seed=1)
    found = nearest_neighbors(vectors, candidates, metric=metric)[0]  # type: ignore[arg-type]
    points, others = vectors[0].numpy(), candidates[0].numpy()
    if metric == "centered_cosine":
        points, others = points - points.mean(1, keepdims=True), others - others.mean(1, keepdims=True)
    similarity = points.T @ (others / np.hypot(*others)) if metric != "euclidean" else None
    if similarity is None:
        similarity = points.T @ others - (others**2).sum(0) / 2
    np.testing.assert_array_equal(found.numpy(), similarity.argmax(1))


def test_the_length_of_a_vector_does_not_change_its_neighbour_by_angle() -> None:
    vectors, candidates = noise(1, 4, 9), noise(1, 4, 20, seed=1)
    scaled = vectors * torch.logspace(-2, 3, 9, dtype=torch.float64)
    assert torch.equal(nearest_neighbors(scaled, candidates), nearest_neighbors(vectors, candidates))
    assert not torch.equal(
        nearest_neighbors(scaled, candidates, metric="euclidean"),
        nearest_neighbors(vectors, candidates, metric="euclidean"),
    )


def test_a_candidate_of_length_0_is_never_the_nearest_by_angle_if_another_is_on_the_same_side() -> None:
    candidates = torch.tensor([[[0.0, 0.1, 0.0], [0.0, 9.0, 0.0]]])
    assert nearest_neighbors(torch.tensor([[[5.0], [0.1]]]), candidates).tolist() == [[1]]


@pytest.mark.parametrize("metric", METRICS)
def test_no_vectors_have_no_neighbours(metric: str) -> None:
    found = nearest_neighbors(noise(2, 3, 0), noise(2, 3, 4), metric=metric)  # type: ignore[arg-type]
    assert found.shape == (2, 0)
    assert found.dtype == torch.long


def test_half_precision_does_not_overflow_in_a_search() -> None:
    vectors = (noise(1, 512, 4) * 2e4).bfloat16()
    assert nearest_neighbors(vectors, vectors).tolist() == [[0, 1, 2, 3]]
    assert nearest_neighbors(vectors, vectors, metric="euclidean").tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize("metric", METRICS)
def test_autocast_does_not_make_a_search_coarse(metric: str) -> None:
    vectors, candidates = (noise(1, 64, 300, seed=seed).float() + 3 for seed in (0, 1))
    expected = nearest_neighbors(vectors, candidates, metric=metric)  # type: ignore[arg-type]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = nearest_neighbors(vectors, candidates, metric=metric)  # type: ignore[arg-type]
    assert torch.equal(found, expected)


def test_replaced_features_are_the_nearest_ones_of_the_reference() -> None:
    features, reference = noise(1, 4, 3, 5), noise(1, 4, 6, 2, seed=1)
    for metric in METRICS:
        replaced = replace_features(features, reference, metric=metric)  # type: ignore[arg-type]
        indices = oracle(features[0], reference[0], metric)[0]
        expected = reference[0].flatten(1)[:, indices].reshape(4, 3, 5)
        assert torch.equal(replaced[0], expected)


def test_features_of_the_reference_itself_are_not_replaced() -> None:
    features = noise(2, 4, 3, 5)
    assert torch.equal(replace_features(features, features), features)


def test_replacing_features_of_some_positions_needs_no_map() -> None:
    assert replace_features(noise(1, 4, 1, 9), noise(1, 4, 2, 3, seed=1)).shape == (1, 4, 1, 9)


@pytest.mark.parametrize("centered", [False, True])
def test_nearest_neighbor_distance_is_the_mean_over_a_search_through_all_pairs(centered: bool) -> None:
    vectors, candidates = noise(2, 5, 3, 7), noise(2, 5, 11, 1, seed=1)
    metric = "centered_cosine" if centered else "cosine"
    distances = [oracle(*pair, metric)[1] for pair in zip(vectors, candidates, strict=True)]
    value = nearest_neighbor_distance(vectors, candidates, centered=centered)
    assert float(value) == pytest.approx(np.mean(distances), rel=1e-12)


@pytest.mark.parametrize("centered", [False, True])
def test_nearest_neighbor_distance_has_the_gradient_of_finite_differences(centered: bool) -> None:
    vectors, candidates = noise(2, 3, 4).requires_grad_(), noise(2, 3, 6, seed=1)
    assert torch.autograd.gradcheck(
        lambda x: nearest_neighbor_distance(x, candidates, centered=centered), vectors
    )


def test_nearest_neighbor_distance_is_0_where_each_vector_has_a_twin_of_any_length() -> None:
    candidates = noise(1, 4, 9)
    vectors = candidates[:, :, [3, 3, 7]] * torch.tensor([1.0, 50.0, 0.2])
    assert abs(float(nearest_neighbor_distance(vectors, candidates))) < 1e-12


def test_a_black_position_costs_1_and_has_no_steep_gradient() -> None:
    vectors = noise(1, 4, 9).abs()
    vectors[:, :, 2] = 0
    vectors.requires_grad_()
    candidates = noise(1, 4, 6, seed=1).abs()
    (gradient,) = torch.autograd.grad(9 * nearest_neighbor_distance(vectors, candidates), vectors)
    lengths = gradient.norm(dim=1)[0]
    assert float(nearest_neighbor_distance(vectors[:, :, 2:3], candidates).detach()) == 1
    assert 0 < lengths[2] <= 1000 / float(vectors.detach().square().sum(1).mean().sqrt())
    assert nearest_neighbor_distance(torch.zeros(1, 4, 3).double(), candidates) == 1


def test_flat_features_have_no_direction_from_their_mean() -> None:
    # What is left of a flat map after its mean is rounding error, which must not be blown up.
    flat = torch.full((1, 64, 50), 0.1).requires_grad_()
    value = nearest_neighbor_distance(flat, noise(1, 64, 6).float(), centered=True)
    (gradient,) = torch.autograd.grad(value, flat)
    assert float(value.detach()) == pytest.approx(1, abs=1e-2)
    assert gradient.abs().max() < 1e4


def test_mrf_energy_is_the_mean_squared_difference_to_the_neighbour_by_angle() -> None:
    points, candidates = noise(2, 5, 7), noise(2, 5, 11, seed=1)
    for matching in METRICS:
        squares = []
        for image in range(2):
            indices = oracle(points[image], candidates[image], matching)[0]
            pairs = zip(points[image].numpy().T, candidates[image].numpy().T[indices], strict=True)
            squares += [((left - right) ** 2).mean() for left, right in pairs]
        value = mrf_energy(points, candidates, matching=matching)  # type: ignore[arg-type]
        assert float(value) == pytest.approx(np.mean(squares), rel=1e-12)


def test_no_other_matching_has_a_lower_energy_than_the_euclidean_one() -> None:
    points, candidates = noise(1, 5, 70), noise(1, 5, 110, seed=1)
    lowest = mrf_energy(points, candidates, matching="euclidean")
    assert lowest < mrf_energy(points, candidates)
    assert lowest < mrf_energy(points, candidates, matching="centered_cosine")


def test_the_gradient_of_the_mrf_energy_pulls_each_position_to_the_average_of_its_matches() -> None:
    # As in the authors' code: matched minus own patches are added up and divided by their number.
    features, reference = noise(1, 2, 6, 7).requires_grad_(), noise(1, 2, 8, 5, seed=1)
    own, others = patches(features, 3), patches(reference, 3)
    (gradient,) = torch.autograd.grad(mrf_energy(own, others) * own.numel() / 2, features)
    indices = oracle(own.detach()[0], others[0], "cosine")[0]
    pull, count = np.zeros((2, 6, 7)), np.zeros((6, 7))
    for number, index in enumerate(indices):
        row, column = divmod(number, 5)
        matched = others[0, :, index].reshape(2, 3, 3).numpy()
        window = features.detach()[0, :, row : row + 3, column : column + 3].numpy()
        pull[:, row : row + 3, column : column + 3] += matched - window
        count[row : row + 3, column : column + 3] += 1
    np.testing.assert_allclose(gradient[0].numpy(), -pull)
    assert count[2:4, 2:5].min() == 9


def test_no_gradient_goes_through_the_search() -> None:
    vectors = noise(1, 3, 4).requires_grad_()
    assert not nearest_neighbors(vectors, noise(1, 3, 5)).requires_grad
    assert not replace_features(vectors, noise(1, 3, 5)).requires_grad


@pytest.mark.parametrize(
    "function", [nearest_neighbors, replace_features, nearest_neighbor_distance, mrf_energy]
)
def test_sets_that_do_not_fit_each_other_are_refused(function) -> None:
    for candidates in (noise(1, 4, 5), noise(2, 3, 5)):
        with pytest.raises(ValueError, match=r"same number of images and channels, got the shapes \(1, 3"):
            function(noise(1, 3, 5), candidates)
    with pytest.raises(ValueError, match="at least one candidate"):
        function(noise(1, 3, 5), noise(1, 3, 0))


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`metric` must be one of \('cosine', .*, got 'dot'"):
        nearest_neighbors(noise(1, 3, 5), noise(1, 3, 5), metric="dot")  # type: ignore[arg-type]
