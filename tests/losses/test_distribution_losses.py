"""Values of the losses that compare distributions of features, against numpy and plain loops."""

import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pystyle import (
    CovarianceLoss,
    Criterion,
    HistogramLoss,
    Loss,
    MeanLoss,
    MomentLoss,
    RelaxedEMDLoss,
    SlicedWassersteinLoss,
)
from pystyle.encoders import SequentialEncoder
from pystyle.functional import histogram_match, random_directions, relaxed_earth_movers_distance
from pystyle.testing import check_loss


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def value(loss: Loss, features: Tensor, reference: Tensor) -> float:
    target = loss.prepare(loss.represent(reference))
    return float(loss.compare(loss.represent(features), target))


def through_criterion(loss: Loss, image: Tensor, *references: tuple[Tensor, float]) -> float:
    encoder = SequentialEncoder({"one": nn.Conv2d(3, 3, 1)})
    with torch.no_grad():
        return float(Criterion(encoder, {"loss": loss}).bind({"style": list(references)})(image).total)


def array(features: Tensor) -> np.ndarray:
    return features[0].flatten(1).numpy()


FEATURES, REFERENCE, WIDE = noise(1, 4, 5, 6), noise(1, 4, 5, 6, seed=1), noise(1, 4, 4, 9, seed=2).square()
LOSSES: list[Callable[..., Loss]] = [
    CovarianceLoss,
    HistogramLoss,
    MeanLoss,
    MomentLoss,
    RelaxedEMDLoss,
    SlicedWassersteinLoss,
]


def seeded_directions(count: int, seed: int) -> np.ndarray:
    return random_directions(count, 4, generator=torch.Generator().manual_seed(seed)).double().numpy()


@pytest.mark.parametrize("reference", [REFERENCE, WIDE])
def test_sliced_wasserstein_loss_is_the_mean_distance_of_sorted_projections(reference: Tensor) -> None:
    squares = []
    for direction in seeded_directions(4, 0):
        left, right = np.sort(direction @ array(FEATURES)), np.sort(direction @ array(reference))
        common = np.lcm(len(left), len(right))
        left, right = (np.repeat(numbers, common // len(numbers)) for numbers in (left, right))
        squares.append(((left - right) ** 2).mean())
    assert value(SlicedWassersteinLoss("a"), FEATURES, reference) == pytest.approx(np.mean(squares))


def test_sliced_wasserstein_loss_has_the_directions_that_are_asked_for() -> None:
    squares = [
        ((np.sort(direction @ array(FEATURES)) - np.sort(direction @ array(REFERENCE))) ** 2).mean()
        for direction in seeded_directions(50, 3)
    ]
    loss = SlicedWassersteinLoss("a", num_directions=50, seed=3)
    assert value(loss, FEATURES, REFERENCE) == pytest.approx(np.mean(squares))


def test_sliced_wasserstein_loss_is_zero_for_rearranged_positions_only() -> None:
    rearranged = FEATURES.flatten(2).flip(2).reshape(1, 4, 6, 5)
    assert value(SlicedWassersteinLoss("a"), FEATURES, rearranged) < 1e-20
    mixed = torch.cat((FEATURES[:, :2], FEATURES[:, 2:].flip(3)), dim=1)
    assert value(SlicedWassersteinLoss("a"), FEATURES, mixed) > 1e-3


def test_relative_sliced_wasserstein_loss_is_divided_by_the_mean_square_of_the_projections() -> None:
    images = [noise(1, 3, 5, 6, seed=seed).float() for seed in (0, 1)]
    plain, relative = (
        through_criterion(SlicedWassersteinLoss("image", relative=r), images[0], (images[1], 1.0))
        for r in (False, True)
    )
    directions = random_directions(3, 3, generator=torch.Generator().manual_seed(0)).numpy()
    assert plain / relative == pytest.approx(np.mean((directions @ array(images[1])) ** 2), rel=1e-4)


def test_histogram_loss_is_the_mean_squared_error_to_the_matched_features() -> None:
    order = np.argsort(np.argsort(array(FEATURES), axis=1), axis=1)
    matched = np.take_along_axis(np.sort(array(REFERENCE), axis=1), order, axis=1)
    expected = ((array(FEATURES) - matched) ** 2).mean()
    assert value(HistogramLoss("a"), FEATURES, REFERENCE) == pytest.approx(expected)


def test_the_gradient_of_the_histogram_loss_is_that_of_the_error_to_the_matched_features() -> None:
    loss, features = HistogramLoss("a"), FEATURES.clone().requires_grad_()
    result = loss.compare(loss.represent(features), loss.prepare(loss.represent(WIDE)))
    (gradient,) = torch.autograd.grad(result, features)
    expected = 2 * (FEATURES - histogram_match(FEATURES, WIDE)) / FEATURES.numel()
    torch.testing.assert_close(gradient, expected)


def test_histogram_loss_does_not_see_which_channels_go_together() -> None:
    mixed = torch.cat((FEATURES[:, :2], FEATURES[:, 2:].flip(3)), dim=1)
    assert value(HistogramLoss("a"), FEATURES, mixed) == pytest.approx(0, abs=1e-20)


def test_covariance_loss_is_the_mean_squared_difference_of_covariances() -> None:
    matrices = [np.cov(array(features), bias=True) for features in (FEATURES, WIDE)]
    expected = ((matrices[0] - matrices[1]) ** 2).mean()
    assert value(CovarianceLoss("a"), FEATURES, WIDE) == pytest.approx(expected)
    assert value(CovarianceLoss("a"), FEATURES, FEATURES + 3) == pytest.approx(0, abs=1e-20)


def test_mean_loss_is_the_mean_squared_difference_of_the_means() -> None:
    means = [array(features).mean(1) for features in (FEATURES, WIDE)]
    assert value(MeanLoss("a"), FEATURES, WIDE) == pytest.approx(((means[0] - means[1]) ** 2).mean())
    assert value(MeanLoss("a"), FEATURES, FEATURES.flip(3)) == pytest.approx(0, abs=1e-20)


def test_moment_loss_is_the_sum_of_mean_absolute_differences() -> None:
    means = [array(features).mean(1) for features in (FEATURES, WIDE)]
    matrices = [np.cov(array(features), bias=True) for features in (FEATURES, WIDE)]
    expected = abs(means[0] - means[1]).mean() + abs(matrices[0] - matrices[1]).mean()
    assert value(MomentLoss("a"), FEATURES, WIDE) == pytest.approx(expected)
    assert value(MomentLoss("a"), FEATURES, FEATURES + 3) == pytest.approx(3)


@pytest.mark.parametrize("make", [CovarianceLoss, MeanLoss, MomentLoss])
def test_blended_statistics_are_those_of_both_images_together(make: Callable[..., Loss]) -> None:
    image, left, right = (noise(1, 3, 5, 6, seed=seed).float() for seed in range(3))
    both = torch.cat((left, right, right, right), dim=3)
    blend = through_criterion(make("image"), image, (left, 1.0), (right, 3.0))
    assert blend == pytest.approx(through_criterion(make("image"), image, (both, 1.0)), rel=1e-3)


@pytest.mark.parametrize("make", [HistogramLoss, RelaxedEMDLoss, SlicedWassersteinLoss])
def test_sets_are_blended_by_comparing_with_each(make: Callable[..., Loss]) -> None:
    image, left, right = (noise(1, 3, 5, 6, seed=seed).float() for seed in range(3))
    blend = through_criterion(make("image"), image, (left, 1.0), (right, 3.0))
    singles = [through_criterion(make("image"), image, (other, 1.0)) for other in (left, right)]
    assert blend == pytest.approx(0.25 * singles[0] + 0.75 * singles[1], rel=1e-5)


@pytest.mark.parametrize("distance", ["cosine", "euclidean", "palette"])
def test_relaxed_emd_loss_of_all_positions_is_the_distance_of_the_maps(distance: str) -> None:
    loss = RelaxedEMDLoss("a", distance=distance, num_samples=None)  # type: ignore[arg-type]
    both = torch.cat((FEATURES, REFERENCE)), torch.cat((WIDE, WIDE.square()))
    expected = relaxed_earth_movers_distance(*both, distance=distance).mean()  # type: ignore[arg-type]
    assert value(loss, *both) == pytest.approx(float(expected))


def test_relaxed_emd_loss_compares_a_grid_of_the_reference_with_all_of_the_image() -> None:
    # In a reference that is striped in cells of a sample, every grid of 2 x 3 sees the same six vectors.
    six = noise(1, 4, 2, 3)
    reference = six.repeat_interleave(5, 2).repeat_interleave(4, 3)
    expected = relaxed_earth_movers_distance(FEATURES, six)
    for seed in range(5):
        loss = RelaxedEMDLoss("a", num_samples=6, seed=seed)
        assert value(loss, FEATURES, reference) == pytest.approx(float(expected))


def test_relaxed_emd_loss_compares_a_grid_of_the_image_if_asked() -> None:
    six = noise(1, 4, 2, 3)
    image = six.repeat_interleave(5, 2).repeat_interleave(4, 3)
    expected = relaxed_earth_movers_distance(six, WIDE)
    loss = RelaxedEMDLoss("a", num_samples=None, num_image_samples=6, seed=3)
    assert value(loss, image, WIDE) == pytest.approx(float(expected))


def test_sampled_positions_keep_to_the_region_that_is_given() -> None:
    # The vectors of a region come as a list of positions; the sample is made of them alone.
    region = torch.arange(1.0, 101.0).reshape(1, 1, 1, 100).repeat(1, 2, 1, 1)
    target = RelaxedEMDLoss("a", num_samples=10).prepare(region)
    assert target.shape == (1, 2, 10)
    assert torch.equal(target[:, 0], target[:, 1])
    assert target.diff(dim=2).unique().tolist() == [10.0]


@pytest.mark.parametrize("make", LOSSES)
def test_a_region_is_compared_as_a_list_of_its_positions(make: Callable[..., Loss]) -> None:
    lists = [features.flatten(2).unsqueeze(2) for features in (FEATURES, WIDE)]
    assert value(make("a"), *lists) == pytest.approx(value(make("a"), FEATURES, WIDE))


@pytest.mark.parametrize("make", LOSSES)
def test_a_relative_loss_of_a_black_image_is_one(make: Callable[..., Loss]) -> None:
    image = noise(1, 3, 5, 6).float()
    black = torch.zeros_like(image)
    assert through_criterion(make("image", relative=True), black, (image, 1.0)) == pytest.approx(1, rel=1e-4)
    assert np.isfinite(through_criterion(make("image", relative=True), image, (black, 1.0)))


@pytest.mark.parametrize("make", LOSSES)
def test_a_single_position_is_compared_with_any_map(make: Callable[..., Loss]) -> None:
    single = noise(1, 4, 1, 1).requires_grad_()
    loss = make("a")
    for reference in (FEATURES, noise(1, 4, 1, 1, seed=1)):
        result = loss.compare(loss.represent(single), loss.prepare(loss.represent(reference)))
        (gradient,) = torch.autograd.grad(result, single)
        assert result.isfinite()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("make", LOSSES)
def test_losses_of_half_precision_features_are_those_of_their_values(make: Callable[..., Loss]) -> None:
    features, reference = FEATURES.bfloat16(), WIDE.bfloat16()
    expected = value(make("a"), features.float(), reference.float())
    assert value(make("a"), features, reference) == pytest.approx(expected, rel=1e-4)


class TestResampling:
    """What changes from one evaluation to the next, which `check_loss` does not allow."""

    MAKERS = (
        lambda seed: SlicedWassersteinLoss("a", resample=True, seed=seed),
        lambda seed: RelaxedEMDLoss("a", num_image_samples=6, resample=True, seed=seed),
    )

    @pytest.mark.parametrize("make", MAKERS)
    def test_each_evaluation_is_another_one(self, make: Callable[[int], Loss]) -> None:
        loss = make(0)
        target = loss.prepare(loss.represent(WIDE))
        values = {float(loss.compare(loss.represent(FEATURES), target)) for _ in range(5)}
        assert len(values) == 5

    @pytest.mark.parametrize("make", MAKERS)
    def test_the_sequence_is_determined_by_the_seed(self, make: Callable[[int], Loss]) -> None:
        sequences = []
        for seed in (1, 1, 2):
            loss = make(seed)
            sequences.append([value(loss, FEATURES, WIDE) for _ in range(3)])
        assert sequences[0] == sequences[1] != sequences[2]

    @pytest.mark.parametrize("make", MAKERS)
    def test_a_pickled_loss_goes_on_where_it_was(self, make: Callable[[int], Loss]) -> None:
        loss = make(0)
        value(loss, FEATURES, WIDE)
        other = pickle.loads(pickle.dumps(loss))
        assert value(other, FEATURES, WIDE) == value(loss, FEATURES, WIDE)

    def test_fresh_directions_keep_all_promises(self) -> None:
        check_loss(SlicedWassersteinLoss("a", resample=True))

    def test_fresh_samples_of_image_and_reference_are_not_the_same(self) -> None:
        with pytest.raises(AssertionError, match="the reference itself is not worse"):
            check_loss(RelaxedEMDLoss("a", num_image_samples=6, resample=True))

    def test_the_mean_over_fresh_directions_is_that_of_many(self) -> None:
        fresh = SlicedWassersteinLoss("a", resample=True)
        mean = np.mean([value(fresh, FEATURES, REFERENCE) for _ in range(500)])
        many = value(SlicedWassersteinLoss("a", num_directions=5000, seed=1), FEATURES, REFERENCE)
        assert mean == pytest.approx(many, rel=0.1)

    def test_image_and_reference_are_projected_on_the_same_directions(self) -> None:
        loss = SlicedWassersteinLoss("a", resample=True)
        assert max(value(loss, FEATURES, FEATURES.flip(2)) for _ in range(5)) < 1e-20

    def test_all_positions_get_a_gradient_in_their_turn(self) -> None:
        loss = RelaxedEMDLoss("a", num_image_samples=6, resample=True)
        features = FEATURES.clone().requires_grad_()
        target = loss.prepare(loss.represent(WIDE))
        seen = torch.zeros(5, 6, dtype=torch.bool)
        for _ in range(60):
            (gradient,) = torch.autograd.grad(loss.compare(loss.represent(features), target), features)
            moved = gradient.abs().sum((0, 1)) > 0
            assert moved.sum() <= 6
            seen |= moved
        assert seen.all()


@pytest.mark.parametrize("make", [RelaxedEMDLoss, SlicedWassersteinLoss])
def test_the_seed_changes_what_is_drawn(make: Callable[..., Loss]) -> None:
    options = {"num_samples": 6} if make is RelaxedEMDLoss else {}
    results = {value(make("a", seed=seed, **options), FEATURES, WIDE) for seed in (0, 1)}
    assert len(results) == 2


@pytest.mark.parametrize("make", LOSSES)
def test_a_loss_leaves_the_global_random_state_alone(make: Callable[..., Loss]) -> None:
    before = torch.random.get_rng_state()
    value(make("a"), FEATURES, WIDE)
    assert torch.equal(torch.random.get_rng_state(), before)
