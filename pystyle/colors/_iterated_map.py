"""The linear map of covariances by products of matrices alone.

Formats of exported networks have no decomposition into eigenvectors. Two iterations of Newton and Schulz do
without: of the sign of a matrix, and of the geometric mean of two.
"""

from typing import Any

import torch
from torch import Tensor

_while_loop: Any = torch.while_loop
_MARGIN = 1 + 1e-6
"""Beyond 1 the first steps would turn the sign of an eigenvalue."""
_TINY = 1e-300
_LEAST_ROOT = 1e-7
_LEAST_SIGN = 1e-9
"""The smallest roots and eigenvalues that converge, as a share of a bound of the largest."""
_STEPS_TO_ROOT, _STEPS_TO_SIGN = 21, 26
"""So many steps make 1 of them, less 1e-12."""


def iterated_map(covariance: Tensor, target: Tensor, *, smallest: float) -> Tensor:
    r"""The symmetric matrix A with :math:`A \Sigma A = \Sigma_t`, with no eigenvalue below the smallest.

    It is the geometric mean of the inverse of the one and the other, to which a coupled iteration converges.

    Shape:
        - covariance, target, output: (batch, channels, channels), in float64

    References:
        Higham, *Functions of Matrices*, 2008, chapters 5 and 6. Chen and Chow, *A Stable Scaling of
        Newton-Schulz for Improving the Sign Function Computation of a Hermitian Matrix*, 2014.
    """
    covariance = _raised(covariance, smallest)
    # The trace of the product bounds its eigenvalues, which are those of a positive matrix.
    bound = ((covariance * target).sum((-2, -1), keepdim=True) * _MARGIN).clamp(min=_TINY).sqrt()

    def moved(
        count: Tensor, least: Tensor, matrix: Tensor, inverse: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        scale, least = _scaled(least)
        step = 1.5 * scale * _identity(matrix) - 0.5 * scale * scale * scale * (inverse @ matrix)
        return count + 1, least, matrix @ step, step @ inverse

    def unfinished(count: Tensor, least: Tensor, matrix: Tensor, inverse: Tensor) -> Tensor:  # noqa: ARG001
        return count < _STEPS_TO_ROOT

    start = *_start(_LEAST_ROOT, covariance), target / bound, covariance / bound
    _, _, matrix, _ = _while_loop(unfinished, moved, start)
    symmetric: Tensor = (matrix + matrix.mT) / 2
    return symmetric


def _raised(covariance: Tensor, smallest: float) -> Tensor:
    """The matrix with no eigenvalue below the smallest: half of its sum with it, and of their distance."""
    floor = smallest * _identity(covariance)
    below = covariance - floor

    def moved(count: Tensor, least: Tensor, sign: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scale, least = _scaled(least)
        return count + 1, least, 1.5 * scale * sign - 0.5 * scale * scale * scale * (sign @ sign @ sign)

    def unfinished(count: Tensor, least: Tensor, sign: Tensor) -> Tensor:  # noqa: ARG001
        return count < _STEPS_TO_SIGN

    bound = (below.square().sum((-2, -1), keepdim=True).sqrt() * _MARGIN).clamp(min=_TINY)
    start = *_start(_LEAST_SIGN, covariance), below / bound
    _, _, sign = _while_loop(unfinished, moved, start)
    raised: Tensor = (covariance + floor + below @ sign) / 2
    return raised


def _start(least: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """The number of steps that are done, and the least eigenvalue, as numbers that a loop carries."""
    count = torch.zeros((), dtype=torch.int64, device=like.device)
    return count, torch.full((), least, dtype=like.dtype, device=like.device)


def _scaled(least: Tensor) -> tuple[Tensor, Tensor]:
    """What a step is scaled by if the eigenvalues go from a least one to 1, and the least one after it."""
    scale = (3 / (1 + least + least * least)).sqrt()
    return scale, scale * least * (3 - scale * scale * least * least) / 2


def _identity(matrix: Tensor) -> Tensor:
    return torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
