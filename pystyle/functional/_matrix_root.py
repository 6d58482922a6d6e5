"""Square roots of positive semi-definite matrices by the Newton-Schulz iteration.

The iteration needs products only: it is fast on a GPU, never waits for the host, and its
derivatives stay bounded where those of an eigendecomposition blow up (equal eigenvalues).
"""

from typing import Any

import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32, without_autocast


def matrix_square_root(matrix: Tensor, *, num_iterations: int = 15) -> Tensor:
    """The square root of symmetric positive semi-definite matrices.

    Args:
        matrix: The matrices. They are taken to be symmetric; this is not checked.
        num_iterations: Newton-Schulz steps. Eigenvalues below about (2/3)^(2 num_iterations) of
            the Frobenius norm come out too small.

    Returns:
        The roots, in float32 at least.

    Raises:
        ValueError: If `matrix` is not square.

    Shape:
        - matrix, output: (..., size, size)

    Example:
        >>> import torch
        >>> matrix_square_root(torch.tensor([[5.0, 4.0], [4.0, 5.0]]))
        tensor([[2.0000, 1.0000],
                [1.0000, 2.0000]])

    Note:
        The gradient solves the Lyapunov equation of the root by the same kind of iteration,
        instead of differentiating through the steps.

    References:
        Lin, Maji. *Improved bilinear pooling with CNNs*. BMVC 2017, section 3.
    """
    matrix = _checked(matrix)
    with without_autocast(matrix):
        root: Tensor = _SquareRoot.apply(matrix, num_iterations)
    return root


def trace_of_square_root(matrix: Tensor, *, num_iterations: int = 15) -> Tensor:
    """The trace of the square root of symmetric positive semi-definite matrices.

    It costs half of a root and its gradient, because the gradient of the trace is half the
    inverse root, which the iteration yields beside the root.

    Args:
        matrix: The matrices. They are taken to be symmetric; this is not checked.
        num_iterations: Newton-Schulz steps; see :func:`matrix_square_root`.

    Returns:
        One number per matrix.

    Raises:
        ValueError: If `matrix` is not square.

    Shape:
        - matrix: (..., size, size)
        - output: (...)

    Example:
        >>> import torch
        >>> trace_of_square_root(torch.tensor([[5.0, 4.0], [4.0, 5.0]]))
        tensor(4.0000)
    """
    matrix = _checked(matrix)
    with without_autocast(matrix):
        trace: Tensor = _TraceOfSquareRoot.apply(matrix, num_iterations)
    return trace


def _checked(matrix: Tensor) -> Tensor:
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(f"`matrix` must be square, got a tensor of shape {tuple(matrix.shape)}.")
    return at_least_float32(matrix)


def _newton_schulz(matrix: Tensor, num_iterations: int) -> tuple[Tensor, Tensor]:
    """The root and the inverse root; both 0 for a zero matrix."""
    norm = torch.linalg.matrix_norm(matrix, keepdim=True).clamp_min(torch.finfo(matrix.dtype).tiny ** 0.5)
    identity = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    root, inverse = matrix / norm, identity.expand_as(matrix)
    for _ in range(num_iterations):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    nonzero = (norm > torch.finfo(matrix.dtype).tiny ** 0.5).to(matrix.dtype)
    return root * norm.sqrt(), inverse * nonzero / norm.sqrt()


class _SquareRoot(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, num_iterations: int) -> Tensor:
        root, _ = _newton_schulz(matrix, num_iterations)
        ctx.save_for_backward(root)
        ctx.num_iterations = num_iterations
        return root

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        # Solves  root X + X root = gradient: the sign iteration of the block matrix of both sides.
        (root,) = ctx.saved_tensors
        norm = torch.linalg.matrix_norm(root, keepdim=True).clamp_min(torch.finfo(root.dtype).tiny ** 0.5)
        identity = torch.eye(root.shape[-1], dtype=root.dtype, device=root.device)
        left, right = root / norm, gradient / norm
        with without_autocast(root):
            for _ in range(ctx.num_iterations):
                square = left @ left
                right = 0.5 * (right @ (3 * identity - square) - left @ (left @ right - right @ left))
                left = 0.5 * left @ (3 * identity - square)
        return 0.5 * right, None


class _TraceOfSquareRoot(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, num_iterations: int) -> Tensor:
        root, inverse = _newton_schulz(matrix, num_iterations)
        ctx.save_for_backward(inverse)
        return root.diagonal(dim1=-2, dim2=-1).sum(-1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (inverse,) = ctx.saved_tensors
        return 0.25 * gradient[..., None, None] * (inverse + inverse.mT), None
