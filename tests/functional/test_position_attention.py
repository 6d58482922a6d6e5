import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import position_attention


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_the_mean_of_the_values_that_the_formula_says() -> None:
    queries, keys, values = noise(2, 3, 2, 4), noise(2, 3, 5, 3, seed=1), noise(2, 6, 5, 3, seed=2)
    found = position_attention(queries, keys, values)
    assert found.shape == (2, 6, 2, 4)
    for image in range(2):
        q, k, v = (one[image].flatten(1).numpy() for one in (queries, keys, values))
        for position in range(8):
            scores = np.array([math.exp(q[:, position] @ k[:, other]) for other in range(15)])
            expected = (v * (scores / scores.sum())).sum(1)
            np.testing.assert_allclose(found[image].flatten(1)[:, position], expected)


def test_the_weights_of_each_position_sum_to_one() -> None:
    # Each value is a one in a channel of its own, so that what is seen are the weights themselves.
    values = torch.eye(12, dtype=torch.float64)[None]
    weights = position_attention(noise(1, 4, 3, 3), noise(1, 4, 12, seed=1), values)
    torch.testing.assert_close(weights.sum(1), torch.ones(1, 3, 3, dtype=torch.float64))
    assert bool((weights > 0).all())


def test_a_single_position_is_seen_from_everywhere() -> None:
    values = noise(1, 5, 1, 1)
    found = position_attention(noise(1, 4, 3, 6, seed=1), noise(1, 4, 1, 1, seed=2), values)
    torch.testing.assert_close(found, values.expand(1, 5, 3, 6))


def test_equal_keys_are_seen_alike() -> None:
    values = noise(1, 5, 7)
    found = position_attention(noise(1, 4, 3, seed=1), torch.ones(1, 4, 7, dtype=torch.float64), values)
    torch.testing.assert_close(found, values.mean(2, keepdim=True).expand(1, 5, 3))


def test_it_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = noise(2, 4, 7, 6), noise(2, 4, 5, 6, seed=1), noise(2, 3, 5, 6, seed=2)
    whole = position_attention(*arguments)
    monkeypatch.setattr("pystyle.functional._vector_sets._LARGEST_BLOCK", 180)
    torch.testing.assert_close(position_attention(*arguments), whole)


def test_one_style_serves_a_batch() -> None:
    queries, keys, values = noise(3, 4, 5), noise(1, 4, 6, seed=1), noise(1, 2, 6, seed=2)
    found = position_attention(queries, keys, values)
    repeated = position_attention(queries, keys.expand(3, -1, -1), values.expand(3, -1, -1))
    torch.testing.assert_close(found, repeated)


def test_its_gradient_is_that_of_finite_differences() -> None:
    tensors = [noise(1, 2, 3), noise(1, 2, 4, seed=1), noise(1, 3, 4, seed=2)]
    assert torch.autograd.gradcheck(position_attention, [one.requires_grad_() for one in tensors])


def test_large_products_in_half_precision_are_no_rounding_errors() -> None:
    queries, keys = 16 * torch.eye(3)[None], 16 * torch.eye(3)[None]
    with torch.autocast("cpu", torch.bfloat16):
        found = position_attention(queries.bfloat16(), keys.bfloat16(), torch.eye(3)[None].bfloat16())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.eye(3)[None])


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        ([(1, 4), (1, 4, 3), (1, 4, 3)], r"must have the axes \(batch, channels, positions\)"),
        ([(1, 4, 3), (1, 4, 0), (1, 4, 0)], r"must have the axes \(batch, channels, positions\)"),
        ([(1, 4, 3), (1, 5, 3), (1, 4, 3)], "`keys` must have the channels of the queries"),
        ([(1, 4, 3), (1, 4, 3), (1, 4, 2)], "and the positions of the values"),
        ([(2, 4, 3), (3, 4, 3), (1, 4, 3)], "must be of as many images, or of one"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes: list[tuple[int, ...]], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        position_attention(*(torch.zeros(shape) for shape in shapes))
