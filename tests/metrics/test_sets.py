"""Measures of sets of features: closed forms, NumPy, and numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch

from pystyle.metrics import (
    FeatureStatistics,
    InceptionFeatures,
    compare_sets,
    frechet_distance,
    kernel_distance,
    precision_recall,
)

GENERATOR = torch.Generator().manual_seed(0)
FEATURES = torch.randn(60, 5, generator=GENERATOR) @ torch.randn(5, 5, generator=GENERATOR) + 3
REFERENCE = torch.randn(80, 5, generator=GENERATOR).double()


def statistics_of(features, *sizes):
    statistics = FeatureStatistics()
    for part in torch.split(features, list(sizes)) if sizes else [features]:
        statistics.update(part)
    return statistics


@pytest.mark.parametrize("sizes", [(60,), (1, 0, 59), (17, 20, 23)])
def test_a_stream_has_the_moments_of_the_whole(sizes):
    statistics = statistics_of(FEATURES, *sizes)
    assert statistics.count == 60
    assert torch.allclose(statistics.mean, FEATURES.double().mean(0), rtol=1e-13)
    assert torch.allclose(statistics.covariance, FEATURES.double().T.cov(), rtol=1e-12)
    statistics.reset()
    assert statistics.count == 0
    with pytest.raises(ValueError, match="at least 1 vectors, got 0"):
        statistics.mean  # noqa: B018


def test_moments_keep_their_digits_far_from_the_origin():
    statistics = statistics_of(FEATURES.double() + 1e8, 1, 29, 30)
    assert torch.allclose(statistics.covariance, FEATURES.double().T.cov(), rtol=1e-6)


def test_the_frechet_distance_is_that_of_the_published_formula():
    own, other = statistics_of(FEATURES), statistics_of(REFERENCE)
    first, second = own.covariance.numpy(), other.covariance.numpy()
    root = pytest.importorskip("scipy.linalg").sqrtm(first @ second).real
    expected = float((own.mean - other.mean).square().sum()) + np.trace(first + second - 2 * root)
    assert frechet_distance(own, other) == pytest.approx(expected, rel=1e-10)
    assert frechet_distance(other, own) == pytest.approx(expected, rel=1e-10)
    assert frechet_distance(own, own) == pytest.approx(0, abs=1e-10)


def test_of_independent_channels_it_is_the_sum_of_their_distances():
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    scales = torch.tensor([[2.0, 3.0], [5.0, 1.0]])
    own, other = (statistics_of(scale * signs + index) for index, scale in enumerate(scales))
    # A deviation of s sqrt(4 / 3); the means are 1 apart in both.
    assert frechet_distance(own, other) == pytest.approx(2 + 4 / 3 * ((2 - 5) ** 2 + (3 - 1) ** 2), rel=1e-12)


def test_fewer_vectors_than_channels_give_a_number_and_a_warning():
    few = torch.randn(4, 5, generator=GENERATOR)
    with pytest.warns(UserWarning, match="`statistics` has 4 vectors of 5 channels"):
        found = frechet_distance(statistics_of(few), statistics_of(REFERENCE))
    assert 0 < found < 100
    with pytest.warns(UserWarning, match="`reference` has 4 vectors"):
        assert frechet_distance(statistics_of(REFERENCE), statistics_of(few)) == pytest.approx(
            found, rel=1e-6
        )


def test_the_kernel_distance_of_all_vectors_is_the_unbiased_estimate():
    x, y = FEATURES.double().numpy(), REFERENCE.numpy()[:60]

    def kernel(first, second):
        return (first @ second / 5 + 1) ** 3

    own = [kernel(x[i], x[j]) + kernel(y[i], y[j]) for i in range(60) for j in range(60) if i != j]
    both = [kernel(first, second) for first in x for second in y]
    found = kernel_distance(FEATURES, REFERENCE[:60], num_subsets=3)
    assert found.value == pytest.approx(np.mean(own) - 2 * np.mean(both), rel=1e-9)
    assert found.subset_size == 60
    # All subsets are the whole, and say nothing of how much it varies.
    assert math.isnan(found.deviation)
    assert str(found).endswith("(deviation not known)")


def test_subsets_of_the_larger_set_have_a_deviation():
    assert kernel_distance(FEATURES, REFERENCE, num_subsets=3).deviation > 0


def test_subsets_of_one_distribution_are_0_apart_on_average():
    x, y = torch.randn(2, 400, 8, generator=GENERATOR)
    found = kernel_distance(x, y, num_subsets=50, subset_size=100, seed=1)
    assert found.subset_size == 100
    assert abs(found.value) < 3 * found.deviation
    assert found == kernel_distance(x, y, num_subsets=50, subset_size=100, seed=1)
    assert found != kernel_distance(x, y, num_subsets=50, subset_size=100, seed=2)
    shifted = kernel_distance(x + 1, y, num_subsets=50, subset_size=100)
    assert shifted.value > 10 * found.deviation


@pytest.mark.parametrize("neighbors", [1, 3])
def test_precision_and_recall_are_those_of_their_definition(neighbors):
    cdist = pytest.importorskip("scipy.spatial.distance").cdist
    x, y = FEATURES.double().numpy()[:, :2], REFERENCE.numpy()[:, :2]

    def share(vectors, others):
        radii = np.sort(cdist(others, others), 1)[:, neighbors]
        return np.mean([(distances <= radii).any() for distances in cdist(vectors, others)])

    found = precision_recall(FEATURES[:, :2], REFERENCE[:, :2], neighbors=neighbors)
    assert found == (share(x, y), share(y, x))
    assert 0 < found.precision < 1
    assert precision_recall(REFERENCE, REFERENCE, neighbors=neighbors) == (1, 1)


@pytest.mark.parametrize("measure", [kernel_distance, precision_recall])
def test_what_is_no_set_is_refused(measure):
    with pytest.raises(ValueError, match=r"`features` must be a tensor of shape \(number, channels\), got"):
        measure(FEATURES[None], REFERENCE)
    with pytest.raises(ValueError, match="`reference` must be finite"):
        measure(FEATURES, REFERENCE / 0)
    with pytest.raises(ValueError, match="`reference` must have the channels of `features`, got 4 for 5"):
        measure(FEATURES, REFERENCE[:, :4])
    with pytest.raises(ValueError, match="`features` and `reference` must have"):
        measure(FEATURES[:1], REFERENCE)


def test_statistics_of_other_channels_are_refused():
    with pytest.raises(ValueError, match="`features` must have 5 channels as those before, got 4"):
        statistics_of(FEATURES).update(FEATURES[:, :4])
    with pytest.raises(ValueError, match="`reference` must have the channels of `statistics`, got 4 for 5"):
        frechet_distance(statistics_of(FEATURES), statistics_of(REFERENCE[:, :4]))
    with pytest.raises(ValueError, match="at least 2 vectors, got 1"):
        frechet_distance(statistics_of(FEATURES[:1]), statistics_of(REFERENCE))


@pytest.mark.parametrize("wrong", [FEATURES, [1.0, 2.0]])
def test_the_features_themselves_are_refused_with_what_to_make_of_them(wrong):
    with pytest.raises(TypeError, match=r"`statistics` must be a FeatureStatistics.*`statistics.update"):
        frechet_distance(wrong, statistics_of(REFERENCE))
    with pytest.raises(TypeError, match="`reference` must be a FeatureStatistics"):
        frechet_distance(statistics_of(REFERENCE), wrong)


def mean_color(images):
    return images.mean((2, 3))


def test_streams_of_images_have_the_figures_of_their_features():
    first, second = torch.rand(2, 9, 3, 4, 5, generator=GENERATOR)
    found = compare_sets(
        first.split(4), iter([second[:2], second[2:]]), mean_color, neighbors=2, num_subsets=5
    )
    own, other = mean_color(first), mean_color(second)
    expected = frechet_distance(statistics_of(own), statistics_of(other))
    assert found.frechet == pytest.approx(expected, rel=1e-9)
    assert found.kernel == kernel_distance(own, other, num_subsets=5)
    assert found.precision_recall == precision_recall(own, other, neighbors=2)
    assert (found.count, found.reference_count) == (9, 9)
    assert found.settings == {"network": "mean_color", "neighbors": 2, "num_subsets": 5, "seed": 0}
    assert "9 pictures beside 9, mean_color" in str(found)
    with pytest.raises(ValueError, match="more than 9 vectors"):
        compare_sets([first], [second], mean_color, neighbors=9)
    with pytest.raises(ValueError, match="at least one batch of images, got none"):
        compare_sets([], [second], mean_color)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ("photos", r"must be batches of images, got a str. Write `map\(read_image, paths\)` or"),
        (torch.rand(9, 3, 4, 5), r"must be batches of images, got a Tensor. Write `images.split\(8\)`"),
        (list(torch.rand(9, 3, 4, 5)), r"must give batches .*, got a tensor of shape \(3, 4, 5\)"),
        ([("photo", 1)], "must give batches .*, got tuple"),
    ],
)
def test_what_is_no_stream_of_batches_is_refused_by_name(wrong, text):
    images = [torch.rand(9, 3, 4, 5)]
    for label, sets in (("pictures", (wrong, images)), ("reference", (images, wrong))):
        with pytest.raises(TypeError, match=f"`{label}` {text}"):
            compare_sets(*sets, mean_color)


@pytest.mark.slow
def test_how_images_are_resized_is_told():
    images = torch.rand(2, 3, 32, 32, generator=GENERATOR)
    with pytest.warns(UserWarning, match="2 vectors of 2048 channels"):
        found = compare_sets([images], [images.flip(3)], InceptionFeatures(), neighbors=1, num_subsets=1)
    assert "InceptionFeatures(pictures resized to 299 x 299, bicubic with a filter)" in str(found)
