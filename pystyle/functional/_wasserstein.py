import torch
from torch import Tensor

from pystyle.functional._matrix_root import matrix_square_root, root_scale, trace_of_square_root
from pystyle.functional._precision import at_least_float32, without_autocast


def gaussian_wasserstein_distance(
    mean: Tensor,
    covariance: Tensor,
    target_mean: Tensor,
    target_covariance: Tensor,
    *,
    target_root: Tensor | None = None,
    num_iterations: int | None = None,
) -> Tensor:
    r"""The squared Wasserstein-2 distance between Gaussians.

    .. math:: \|\mu - \mu_t\|^2 + \operatorname{tr} \left( \Sigma + \Sigma_t
              - 2 \left( \Sigma_t^{1/2} \Sigma \Sigma_t^{1/2} \right)^{1/2} \right)

    Args:
        mean: The means.
        covariance: The covariances; symmetric and positive semi-definite.
        target_mean: The means of the other Gaussians.
        target_covariance: The covariances of the other Gaussians.
        target_root: A matrix R with R Rᵀ = `target_covariance` where it is at hand, such as the square
            root; computing it anew takes half of the time. It need not be square: the fewer columns
            it has, the less there is to compute.
        num_iterations: Newton-Schulz steps; see :func:`trace_of_square_root` for what happens without.

    Returns:
        One number per Gaussian, in float32 at least.

    Raises:
        ValueError: If the shapes do not fit each other.

    Shape:
        - mean, target_mean: (batch, channels)
        - covariance, target_covariance: (batch, channels, channels)
        - target_root: (batch, channels, rank)
        - output: (batch)

    Example:
        >>> import torch
        >>> mean, variance = torch.tensor([[0.0]]), torch.tensor([[[4.0]]])
        >>> gaussian_wasserstein_distance(mean, variance, mean + 3, variance * 4)   # 3² + (4 - 2)²
        tensor([13.])

    References:
        Dowson, Landau. *The Fréchet distance between multivariate normal distributions*. Journal
        of Multivariate Analysis, 1982. First used for style transfer by Vincent Marron.
    """
    _check_shapes(mean, covariance, target_mean, target_covariance)
    mean, target_mean = at_least_float32(mean), at_least_float32(target_mean)
    covariance, target_covariance = at_least_float32(covariance), at_least_float32(target_covariance)
    if target_root is None:
        target_root = matrix_square_root(target_covariance, num_iterations=num_iterations or 15)
    root = at_least_float32(target_root)
    # The eigenvalues of the product span twice as many decades as those of a covariance. Single precision
    # drowns the small ones, and an eigendecomposition adds up the roots of what is positive of the noise.
    exact = num_iterations is None and covariance.device.type == "cpu"
    precision = torch.float64 if exact else covariance.dtype
    scale, other_scale = root_scale(covariance), root_scale(target_covariance)
    with without_autocast(covariance):
        # Of both scales, for the product of three large matrices would overflow where its root does not.
        near, other = covariance / scale / scale, root.to(precision) / other_scale.to(precision)
        product = other.mT @ near.to(precision) @ other
        overlap = trace_of_square_root(product, num_iterations=num_iterations).to(covariance.dtype)
        overlap = overlap * scale[..., 0, 0] * other_scale[..., 0, 0]
    traces = _trace(covariance) + _trace(target_covariance) - 2 * overlap
    return (mean - target_mean).square().sum(-1) + traces


def _check_shapes(mean: Tensor, covariance: Tensor, target_mean: Tensor, target_covariance: Tensor) -> None:
    if mean.shape != target_mean.shape or covariance.shape != target_covariance.shape:
        raise ValueError(
            "`mean` and `covariance` must have the shapes of their targets, got "
            f"{tuple(mean.shape)} and {tuple(covariance.shape)} for targets of shape "
            f"{tuple(target_mean.shape)} and {tuple(target_covariance.shape)}."
        )
    if mean.ndim < 1 or covariance.shape != (*mean.shape, mean.shape[-1]):
        raise ValueError(
            "`covariance` must have the shape (batch, channels, channels) for a `mean` of the shape "
            f"(batch, channels), got {tuple(covariance.shape)} for {tuple(mean.shape)}."
        )


def _trace(matrix: Tensor) -> Tensor:
    return matrix.diagonal(dim1=-2, dim2=-1).sum(-1)
