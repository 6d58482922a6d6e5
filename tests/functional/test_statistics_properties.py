"""What holds for the statistics of any features."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pystyle.functional import covariance, gram_matrix, mean_std, raw_moments, sliced_wasserstein_distance

few = settings(deadline=None, derandomize=True, max_examples=25, database=None)

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 23), st.integers(1, 23))
SEEDS = st.integers(0, 2**16)
LAYOUTS = st.sampled_from(["contiguous", "channels_last", "transposed", "strided", "reversed"])


def features(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def laid_out(x, layout):
    return {
        "contiguous": lambda: x,
        "channels_last": lambda: x.contiguous(memory_format=torch.channels_last),
        "transposed": lambda: x.mT.contiguous().mT,
        "strided": lambda: x.repeat_interleave(2, 3)[..., ::2],
        "reversed": lambda: x.flip(1).flip(1),
    }[layout]()


@few
@given(SHAPES, SEEDS)
def test_statistics_ignore_the_order_of_positions(shape, seed):
    x = features(shape, seed)
    order = torch.randperm(shape[2] * shape[3], generator=torch.Generator().manual_seed(seed + 1))
    shuffled = x.flatten(2)[..., order].reshape(shape)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(x))
    torch.testing.assert_close(raw_moments(shuffled), raw_moments(x))
    directions = torch.eye(shape[1], dtype=torch.float64)
    assert sliced_wasserstein_distance(shuffled, x, directions).max() < 1e-20


@few
@given(SHAPES, SEEDS, st.floats(-1e3, 1e3))
def test_a_gram_matrix_grows_with_the_square_of_its_features(shape, seed, factor):
    x = features(shape, seed)
    torch.testing.assert_close(gram_matrix(factor * x), factor**2 * gram_matrix(x), rtol=1e-9, atol=1e-300)


@few
@given(SHAPES, SEEDS, st.sampled_from(["none", "hw", "chw"]))
def test_a_gram_matrix_is_symmetric_and_positive_semidefinite(shape, seed, normalization):
    matrix = gram_matrix(features(shape, seed), normalization=normalization)
    torch.testing.assert_close(matrix, matrix.mT)
    values = torch.linalg.eigvalsh(matrix)
    assert (values >= -1e-12 * values.amax().clamp_min(1)).all()
    # There are no more directions than positions.
    rank = min(shape[1], shape[2] * shape[3])
    assert (values[:, : shape[1] - rank] <= 1e-12 * values.amax()).all()


@few
@given(SHAPES, SEEDS, LAYOUTS)
def test_the_memory_layout_of_features_changes_nothing(shape, seed, layout):
    x = features(shape, seed)
    torch.testing.assert_close(gram_matrix(laid_out(x, layout)), gram_matrix(x))
    torch.testing.assert_close(raw_moments(laid_out(x, layout)), raw_moments(x))


@few
@given(SHAPES, SEEDS, st.floats(0, 1))
def test_moments_of_two_parts_average_to_those_of_the_whole(shape, seed, where):
    x = features(shape, seed)
    row = round(where * shape[2])
    parts = [(part, part.shape[2] / shape[2]) for part in (x[:, :, :row], x[:, :, row:]) if part.shape[2]]
    whole = raw_moments(x)
    torch.testing.assert_close(sum(share * raw_moments(part).mean for part, share in parts), whole.mean)
    torch.testing.assert_close(sum(share * raw_moments(part).second for part, share in parts), whole.second)


@few
@given(SHAPES, SEEDS, st.floats(-50, 50))
def test_a_constant_that_is_added_moves_the_mean_and_nothing_else(shape, seed, constant):
    x = features(shape, seed)
    moved, still = raw_moments(x + constant), raw_moments(x)
    torch.testing.assert_close(moved.mean, still.mean + constant)
    torch.testing.assert_close(covariance(moved), covariance(still), rtol=0, atol=1e-9)
    torch.testing.assert_close(mean_std(moved)[:, 1], mean_std(still)[:, 1], rtol=0, atol=1e-5)


@few
@given(SHAPES, SEEDS)
def test_the_statistics_of_a_batch_are_those_of_its_images(shape, seed):
    x = features(shape, seed)
    torch.testing.assert_close(gram_matrix(x), torch.cat([gram_matrix(image[None]) for image in x]))
    torch.testing.assert_close(raw_moments(x).mean, torch.cat([raw_moments(image[None]).mean for image in x]))


@few
@given(SHAPES, SEEDS)
def test_a_mask_and_its_complement_add_up_to_the_whole(shape, seed):
    x = features(shape, seed)
    mask = (features((1, 1, *shape[2:]), seed + 1) > 0).double()
    share = float(mask.mean())
    inside, outside = raw_moments(x, mask), raw_moments(x, 1 - mask)
    torch.testing.assert_close(share * inside.second + (1 - share) * outside.second, raw_moments(x).second)
    torch.testing.assert_close(raw_moments(x, torch.ones_like(mask)), raw_moments(x))
