"""Angles between vectors: by hand, at their ends, and their gradients."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from pystyle.functional import cosine_distance, spherical_distance


def at(degrees):
    angle = math.radians(degrees)
    return torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)


@pytest.mark.parametrize("degrees", [0, 1e-4, 30, 90, 135, 180 - 1e-4, 180])
def test_the_spherical_distance_is_half_the_squared_angle(degrees):
    found = spherical_distance(at(10), at(10 + degrees))
    assert float(found) == pytest.approx(math.radians(degrees) ** 2 / 2, rel=1e-6, abs=1e-15)


def test_the_spherical_distance_is_that_of_the_published_formula():
    x, y = normalize(torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    published = (x - y).norm(dim=-1).div(2).arcsin().pow(2).mul(2)
    torch.testing.assert_close(spherical_distance(x, y), published)


@pytest.mark.parametrize("other", [1.0, -1.0])
def test_equal_and_opposite_vectors_have_no_gradient(other):
    x = torch.tensor([0.6, 0.8], requires_grad=True)
    spherical_distance(x, other * x.detach()).backward()
    assert torch.equal(x.grad, torch.zeros(2))


def test_the_cosine_distance_does_not_depend_on_lengths():
    x, y = torch.tensor([[3.0, 4.0], [30.0, 40.0]]), torch.tensor([0.4, 0.3])
    assert cosine_distance(x, y).tolist() == pytest.approx([1 - 24 / 25] * 2)
    assert float(cosine_distance(x[0], -x[1])) == pytest.approx(2.0)


def test_a_vector_of_length_0_is_led_towards_the_other():
    x = torch.zeros(2, requires_grad=True)
    distance = cosine_distance(x, torch.tensor([0.0, 5.0]))
    distance.backward()
    assert float(distance.detach()) == 1.0
    assert x.grad.tolist() == [0.0, pytest.approx(-100.0)]  # 1 / 0.01, downhill along the other
    assert float(cosine_distance(torch.tensor([0.0, 0.005]), torch.tensor([0.0, 1.0]))) == pytest.approx(0.5)


def test_the_gradients_are_right():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 3, 4, dtype=torch.float64, generator=generator)
    x.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: spherical_distance(normalize(x, dim=-1), normalize(y, dim=-1)), x
    )
    assert torch.autograd.gradcheck(lambda x: cosine_distance(x, y), x)


@pytest.mark.parametrize("distance", [spherical_distance, cosine_distance])
def test_half_precision_is_computed_in_float32_and_other_shapes_are_refused(distance):
    assert distance(torch.ones(2, 4).bfloat16() / 2, torch.ones(4).bfloat16() / 2).dtype == torch.float32
    with pytest.raises(ValueError, match=r"the same number of entries.*\(3,\) and \(4,\)"):
        distance(torch.ones(3), torch.ones(4))
