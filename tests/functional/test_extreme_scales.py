"""Where input and true answer are finite, so is what is computed, in float32 and from 1e-15 to 1e15."""

from typing import get_args

import pytest
import torch

from pystyle import functional as F
from pystyle.typing import AdversarialKind

GENERATOR = torch.Generator().manual_seed(0)
MAP = torch.rand(2, 4, 6, 7, generator=GENERATOR)
OTHER = torch.rand(2, 4, 5, 6, generator=GENERATOR)
SAME = torch.rand(2, 4, 6, 7, generator=GENERATOR)
DIRECTIONS = F.random_directions(3, 4, generator=GENERATOR)
FACTOR = torch.rand(2, 4, 4, generator=GENERATOR, dtype=torch.float64)
MATRIX, TARGET = FACTOR @ FACTOR.mT + torch.eye(4).double(), FACTOR.mT @ FACTOR + torch.eye(4).double()
MEAN = torch.rand(2, 4, generator=GENERATOR)

FUNCTIONS = {
    "gram_matrix": lambda s: F.gram_matrix(s * MAP),
    "raw_moments": lambda s: torch.stack([part.sum() for part in F.raw_moments(s * MAP)]),
    "covariance": lambda s: F.covariance(F.raw_moments(s * MAP)),
    "mean_std": lambda s: F.mean_std(F.raw_moments(s * MAP)),
    "channel_mean_std": lambda s: F.channel_mean_std(s * MAP),
    "channel_means": lambda s: F.channel_means(s * MAP),
    "unit_vectors": lambda s: F.unit_vectors(s * MAP),
    "mean_squared_error": lambda s: F.mean_squared_error(s * MAP, s * SAME),
    "mean_absolute_error": lambda s: F.mean_absolute_error(s * MAP, s * SAME),
    "scaled_squared_error": lambda s: F.scaled_squared_error(s * MAP, s * SAME),
    "nearest_neighbor_distance": lambda s: F.nearest_neighbor_distance(s * MAP, s * OTHER),
    "centred": lambda s: F.nearest_neighbor_distance(s * MAP, s * OTHER, centered=True),
    "mrf_energy": lambda s: F.mrf_energy(F.patches(s * MAP, 2), F.patches(s * OTHER, 2)),
    "contextual_similarity": lambda s: F.contextual_similarity(s * MAP, s * OTHER),
    "self_similarity": lambda s: F.self_similarity(s * MAP),
    "relaxed_earth_movers_distance": lambda s: F.relaxed_earth_movers_distance(s * MAP, s * OTHER),
    "euclidean": lambda s: F.relaxed_earth_movers_distance(s * MAP, s * OTHER, distance="euclidean"),
    "patch_nce": lambda s: F.patch_nce(s * MAP, s * SAME),
    **{
        f"generator_loss, {kind}": lambda s, kind=kind: F.generator_loss(s * (MAP - 0.5), kind)
        for kind in get_args(AdversarialKind)
    },
    **{
        f"discriminator_loss, {kind}": lambda s, kind=kind: F.discriminator_loss(
            s * (MAP - 0.5), s * (OTHER - 0.5), kind
        )
        for kind in get_args(AdversarialKind)
    },
    "gradient_penalty": lambda s: F.gradient_penalty(lambda images: s * images, MAP, SAME),
    "real_gradient_penalty": lambda s: F.real_gradient_penalty(lambda images: s * images, MAP),
    "differentiable_augmentation": lambda s: F.differentiable_augmentation(s * MAP),
    "sliced_wasserstein_distance": lambda s: F.sliced_wasserstein_distance(s * MAP, s * OTHER, DIRECTIONS),
    "histogram_match": lambda s: F.histogram_match(s * MAP, s * OTHER),
    "maximum_mean_discrepancy": lambda s: F.maximum_mean_discrepancy(s * MAP, s * OTHER),
    "total_variation": lambda s: F.total_variation(s * MAP),
    "wavelet_norm": lambda s: F.wavelet_norm(s * MAP),
    "warp": lambda s: F.warp(s * MAP, torch.zeros(2, 2, 6, 7)),
    "matting": lambda s: F.matting_energy(s * MAP[:, :3], F.matting_laplacian((s * MAP[:, :3]).detach())),
    "local affine": lambda s: F.smoothed_local_affine(s * MAP, SAME, smoothing_radius=1),
    "range_excess": lambda s: F.range_excess(s * MAP),
    "matrix_square_root": lambda s: F.matrix_square_root(s * MATRIX.float()),
    "trace_of_square_root": lambda s: F.trace_of_square_root(s * MATRIX.float()),
    "trace by iteration": lambda s: F.trace_of_square_root(s * MATRIX.float(), num_iterations=15),
    "gaussian_wasserstein_distance": lambda s: F.gaussian_wasserstein_distance(
        s * MEAN, s * MATRIX.float(), s * MEAN, s * TARGET.float()
    ),
}


@pytest.mark.parametrize("scale", [1e-15, 1e-8, 1e8, 1e15])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_value_and_the_gradient_stay_finite(name, scale):
    factor = torch.tensor(scale, requires_grad=True)
    value = FUNCTIONS[name](factor)
    assert value.isfinite().all()
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value.sum(), factor)
        assert gradient.isfinite()


@pytest.mark.parametrize("exponent", [-36, -30, -15, 15, 30, 37])
def test_roots_scale_with_the_root_of_the_scale(exponent):
    scale = 10.0**exponent
    values, vectors = torch.linalg.eigh(MATRIX)
    expected = (vectors * values.sqrt().unsqueeze(-2)) @ vectors.mT * scale**0.5
    matrix = (scale * MATRIX).float()
    torch.testing.assert_close(F.matrix_square_root(matrix), expected.float(), rtol=1e-4, atol=0)
    trace = (scale * values).sqrt().sum(-1).float()
    for iterations in (None, 15):
        found = F.trace_of_square_root(matrix, num_iterations=iterations)
        torch.testing.assert_close(found, trace, rtol=1e-4, atol=0)


def test_the_identity_has_its_root_at_every_scale():
    for scale in (1e-30, 1e30):
        root = F.matrix_square_root(scale * torch.eye(3))
        torch.testing.assert_close(root / scale**0.5, torch.eye(3))


@pytest.mark.parametrize("exponent", [-30, 30])
def test_the_gradient_of_a_root_is_that_of_the_scaled_problem(exponent):
    scale = 10.0**exponent
    small, large = MATRIX.float().requires_grad_(), (scale * MATRIX).float().requires_grad_()
    weights = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(1))
    (expected,) = torch.autograd.grad((weights * F.matrix_square_root(small)).sum(), small)
    (found,) = torch.autograd.grad((weights * F.matrix_square_root(large)).sum(), large)
    torch.testing.assert_close(found * scale**0.5, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("iterations", [None, 15])
@pytest.mark.parametrize("exponent", [-30, 30])
def test_the_distance_of_gaussians_scales_with_their_covariances(exponent, iterations):
    scale, mean = 10.0**exponent, torch.zeros(2, 4)
    near = F.gaussian_wasserstein_distance(
        mean, MATRIX.float(), mean, TARGET.float(), num_iterations=iterations
    )
    far = F.gaussian_wasserstein_distance(
        mean, (scale * MATRIX).float(), mean, (scale * TARGET).float(), num_iterations=iterations
    )
    torch.testing.assert_close(far / scale, near, rtol=1e-3, atol=1e-4)


def test_a_zero_matrix_has_a_zero_root():
    assert torch.equal(F.matrix_square_root(torch.zeros(1, 3, 3)), torch.zeros(1, 3, 3))
    assert F.matrix_square_root(torch.zeros(0, 3, 3)).shape == (0, 3, 3)
