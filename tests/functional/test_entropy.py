"""The entropy of samples, by hand and of distributions whose entropy is known."""

import math

import pytest
import torch

from pystyle.functional import nearest_neighbor_entropy

EULER = 0.5772156649


def test_the_entropy_of_three_points_is_that_by_hand():
    # On a line at 0, 1 and 4 the nearest others are 1, 1 and 3 away; a ball of one dimension has volume 2.
    samples = torch.tensor([[0.0], [1.0], [4.0]])
    expected = (math.log(1) + math.log(1) + math.log(3)) / 3 + math.log(2) + EULER + math.log(2)
    assert float(nearest_neighbor_entropy(samples)) == pytest.approx(expected, abs=1e-6)


def test_a_ball_of_three_dimensions_has_its_volume():
    samples = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 2.0]])  # 3 apart
    expected = 3 * math.log(3) + math.log(1) + EULER + math.log(4 / 3 * math.pi)
    assert float(nearest_neighbor_entropy(samples)) == pytest.approx(expected, abs=1e-6)


def test_it_is_near_the_entropy_of_known_distributions():
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(1500, 2, generator=generator)
    assert float(nearest_neighbor_entropy(normal)) == pytest.approx(math.log(2 * math.pi * math.e), abs=0.1)
    uniform = 5 * torch.rand(1500, 1, generator=generator)
    assert float(nearest_neighbor_entropy(uniform)) == pytest.approx(math.log(5), abs=0.1)


def test_samples_that_are_twice_as_far_apart_have_as_many_times_the_logarithm_of_2_more_as_entries():
    samples = torch.rand(4, 3, 5, 7, dtype=torch.float64)
    more = nearest_neighbor_entropy(2 * samples) - nearest_neighbor_entropy(samples)
    assert float(more) == pytest.approx(3 * 5 * 7 * math.log(2))


def test_equal_samples_have_the_least_and_eps_keeps_them_finite():
    same = torch.ones(3, 4)
    assert float(nearest_neighbor_entropy(same)) == -math.inf
    least = nearest_neighbor_entropy(same, eps=1e-6)
    assert least.isfinite()
    assert float(least) < float(nearest_neighbor_entropy(same + 0.1 * torch.rand(3, 4), eps=1e-6))


def test_the_gradient_is_that_by_hand_and_goes_to_both_of_a_pair():
    samples = torch.tensor([[0.0], [1.0], [4.0]], dtype=torch.float64, requires_grad=True)
    nearest_neighbor_entropy(samples).backward()
    # d/dx of (ln |x0 - x1| + ln |x1 - x0| + ln |x2 - x1|) / 3.
    expected = torch.tensor([[-2 / 3], [2 / 3 - 1 / 9], [1 / 9]], dtype=torch.float64)
    torch.testing.assert_close(samples.grad, expected)
    inputs = torch.rand(4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: nearest_neighbor_entropy(x, eps=1e-3), inputs)


def test_half_precision_is_computed_in_single():
    samples = torch.rand(3, 100).to(torch.bfloat16)
    assert nearest_neighbor_entropy(samples).dtype == torch.float32


@pytest.mark.parametrize("shape", [(1, 4), (0, 4), (3,), (3, 0)])
def test_fewer_than_two_samples_are_refused(shape):
    with pytest.raises(ValueError, match="`samples` must be at least two samples"):
        nearest_neighbor_entropy(torch.zeros(shape))


def test_a_negative_eps_is_refused():
    with pytest.raises(ValueError, match="`eps`"):
        nearest_neighbor_entropy(torch.rand(2, 2), eps=-1.0)
