import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import gaussian_wasserstein_distance, matrix_square_root

Gaussian = tuple[Tensor, Tensor]


def gaussian(seed: int, *, batch: int = 2, channels: int = 4) -> Gaussian:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(batch, channels, generator=generator, dtype=torch.float64)
    factor = torch.randn(batch, channels, 2 * channels, generator=generator, dtype=torch.float64)
    return mean, factor @ factor.mT / channels


def oracle(left: Gaussian, right: Gaussian) -> list[float]:
    """The formula with the eigenvalues of the product, which is similar to the symmetric one."""
    distances = []
    for m1, s1, m2, s2 in zip(*(t.numpy() for t in (*left, *right)), strict=True):
        overlap = np.sqrt(np.linalg.eigvals(s1 @ s2).real.clip(0)).sum()
        distances.append(((m1 - m2) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * overlap)
    return distances


def test_the_distance_in_one_dimension_is_that_of_means_and_deviations() -> None:
    means, variances = torch.tensor([[1.0], [0.0]]), torch.tensor([[[9.0]], [[4.0]]])
    target_means, target_variances = torch.tensor([[3.0], [0.0]]), torch.tensor([[[1.0]], [[0.25]]])
    distance = gaussian_wasserstein_distance(means, variances, target_means, target_variances)
    torch.testing.assert_close(distance, torch.tensor([4.0 + (3 - 1) ** 2, (2 - 0.5) ** 2]))


def test_the_distance_of_commuting_covariances_is_that_of_their_roots() -> None:
    angle = torch.tensor(0.7, dtype=torch.float64)
    basis = torch.stack((torch.stack((angle.cos(), -angle.sin())), torch.stack((angle.sin(), angle.cos()))))
    left = basis @ torch.tensor([4.0, 9.0], dtype=torch.float64).diag() @ basis.mT
    right = basis @ torch.tensor([1.0, 25.0], dtype=torch.float64).diag() @ basis.mT
    mean = torch.zeros(1, 2, dtype=torch.float64)
    distance = gaussian_wasserstein_distance(mean, left[None], mean + 1, right[None])
    assert distance.tolist() == pytest.approx([2 + (2 - 1) ** 2 + (3 - 5) ** 2], rel=1e-10)


def test_the_distance_agrees_with_numpy_for_any_covariances() -> None:
    left, right = gaussian(0), gaussian(1)
    distance = gaussian_wasserstein_distance(*left, *right, num_iterations=30)
    np.testing.assert_allclose(distance.numpy(), oracle(left, right), rtol=1e-9)


def test_the_distance_does_not_change_when_the_root_of_the_target_is_given() -> None:
    left, right = gaussian(0), gaussian(1)
    root = matrix_square_root(right[1])
    given = gaussian_wasserstein_distance(*left, *right, target_root=root)
    torch.testing.assert_close(given, gaussian_wasserstein_distance(*left, *right))


def test_the_root_that_is_given_is_used() -> None:
    left, right = gaussian(0), gaussian(1)
    distance = gaussian_wasserstein_distance(*left, *right, target_root=torch.zeros_like(right[1]))
    without_overlap = (left[0] - right[0]).square().sum(1) + torch.einsum("nii->n", left[1] + right[1])
    torch.testing.assert_close(distance, without_overlap)


def test_the_distance_is_symmetric() -> None:
    left, right = gaussian(0), gaussian(1)
    forth = gaussian_wasserstein_distance(*left, *right, num_iterations=30)
    torch.testing.assert_close(forth, gaussian_wasserstein_distance(*right, *left, num_iterations=30))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_the_distance_of_a_gaussian_to_itself_is_0(dtype: torch.dtype, tolerance: float) -> None:
    mean, covariance = (tensor.to(dtype) for tensor in gaussian(0))
    distance = gaussian_wasserstein_distance(mean, covariance, mean, covariance, num_iterations=30)
    assert (distance.abs() < tolerance * torch.einsum("nii->n", covariance)).all()


def test_the_distance_has_the_gradient_of_finite_differences() -> None:
    (mean, covariance), (target_mean, target) = gaussian(0, channels=3), gaussian(1, channels=3)

    def distance(mean: Tensor, covariance: Tensor, target_mean: Tensor, target: Tensor) -> Tensor:
        symmetric = (covariance + covariance.mT) / 2, (target + target.mT) / 2
        return gaussian_wasserstein_distance(mean, symmetric[0], target_mean, symmetric[1], num_iterations=30)

    inputs = tuple(tensor.requires_grad_() for tensor in (mean, covariance, target_mean, target))
    assert torch.autograd.gradcheck(distance, inputs)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_distance_of_degenerate_gaussians_has_a_finite_gradient(value: float) -> None:
    covariance = torch.full((1, 3, 3), value, requires_grad=True)
    mean = torch.zeros(1, 3)
    distance = gaussian_wasserstein_distance(mean, covariance, mean, torch.zeros(1, 3, 3))
    (gradient,) = torch.autograd.grad(distance.sum(), covariance)
    torch.testing.assert_close(distance.detach(), torch.tensor([3 * value]))
    assert gradient.isfinite().all()


def test_the_distance_in_float32_is_right_where_there_are_fewer_positions_than_channels() -> None:
    # Half of the eigenvalues are a ridge of 1e-4 then; single precision loses their squares in the product.
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(64, 128, generator=generator, dtype=torch.float64)
    near = features + 0.05 * torch.randn(64, 128, generator=generator, dtype=torch.float64)
    gaussians = []
    for vectors in (near, features):
        covariance = torch.from_numpy(np.cov(vectors.numpy().T, bias=True))
        gaussians.append((vectors.mean(0)[None], (covariance + 1e-4 * torch.eye(128))[None]))
    expected = oracle(*gaussians)
    single = [tensor.float() for gaussian in gaussians for tensor in gaussian]
    distance = gaussian_wasserstein_distance(
        *single, target_root=matrix_square_root(single[3], num_iterations=20)
    )
    # The traces are about 128: seven digits of them.
    np.testing.assert_allclose(distance.numpy(), expected, rtol=0, atol=128e-5)


def test_the_distance_is_the_same_under_autocast() -> None:
    left, right = [t.float() for t in gaussian(0)], [t.float() for t in gaussian(1)]
    expected = gaussian_wasserstein_distance(*left, *right)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(gaussian_wasserstein_distance(*left, *right), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_distance_of_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    mean, covariance = torch.zeros(1, 2, dtype=dtype), torch.eye(2, dtype=dtype)[None]
    distance = gaussian_wasserstein_distance(mean, covariance, mean + 3, 4 * covariance)
    assert distance.dtype == torch.float32
    torch.testing.assert_close(distance, torch.tensor([9 + 9 + 1 + 1.0]))


@pytest.mark.parametrize("index", range(4))
def test_the_distance_refuses_shapes_that_do_not_fit(index: int) -> None:
    shapes = [(2, 4), (2, 4, 4), (2, 4), (2, 4, 4)]
    shapes[index] = (1, *shapes[index][1:])
    with pytest.raises(ValueError, match="must have the shapes of their targets"):
        gaussian_wasserstein_distance(*map(torch.ones, shapes))


@pytest.mark.parametrize("shape", [(2, 3, 3), (3, 4, 4), (4, 4), (2, 4)])
def test_the_distance_refuses_covariances_of_other_channels_than_the_means(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`covariance` must have the shape .* for \(2, 4\)"):
        gaussian_wasserstein_distance(
            torch.ones(2, 4), torch.ones(shape), torch.ones(2, 4), torch.ones(shape)
        )
