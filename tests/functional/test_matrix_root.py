from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import matrix_square_root, trace_of_square_root


def rotation(size: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64)).Q


def with_eigenvalues(*values: float, seed: int = 0) -> Tensor:
    basis = rotation(len(values), seed)
    matrix = basis @ torch.tensor(values, dtype=torch.float64).diag() @ basis.mT
    return (matrix + matrix.mT) / 2


def symmetrised(
    function: Callable[..., Tensor], num_iterations: int | None = 30
) -> Callable[[Tensor], Tensor]:
    return lambda matrix: function((matrix + matrix.mT) / 2, num_iterations=num_iterations)


def eigh_root(matrix: Tensor) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix.numpy())
    return (vectors * np.sqrt(values.clip(0))[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def test_the_square_root_of_a_matrix_is_worked_out_by_hand() -> None:
    # (2 1; 1 3) squared.
    matrix = torch.tensor([[5.0, 5.0], [5.0, 10.0]])
    torch.testing.assert_close(matrix_square_root(matrix), torch.tensor([[2.0, 1.0], [1.0, 3.0]]))
    torch.testing.assert_close(trace_of_square_root(matrix), torch.tensor(5.0))


def test_the_square_root_agrees_with_an_eigendecomposition() -> None:
    matrices = torch.stack([with_eigenvalues(1, 2, 3, 4, seed=1), with_eigenvalues(7, 0.5, 0.5, 2, seed=2)])
    root = eigh_root(matrices)
    np.testing.assert_allclose(matrix_square_root(matrices).numpy(), root, rtol=0, atol=1e-12)
    traces = np.trace(root, axis1=1, axis2=2)
    for num_iterations in (None, 15):
        found = trace_of_square_root(matrices, num_iterations=num_iterations)
        np.testing.assert_allclose(found.numpy(), traces, rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_roots_take_any_number_of_batch_axes(shape: tuple[int, ...]) -> None:
    matrix = with_eigenvalues(1, 2, 3)
    batch = matrix.expand(*shape, 3, 3)
    torch.testing.assert_close(matrix_square_root(batch), matrix_square_root(matrix).expand_as(batch))
    assert trace_of_square_root(batch).shape == shape


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e10])
def test_the_square_root_does_not_depend_on_the_unit(scale: float) -> None:
    matrix = with_eigenvalues(1, 2, 3, 4).float()
    expected = scale**0.5 * matrix_square_root(matrix)
    torch.testing.assert_close(matrix_square_root(scale * matrix), expected, rtol=1e-5, atol=0)


def test_the_square_root_has_the_gradient_of_finite_differences() -> None:
    matrices = torch.stack([with_eigenvalues(1, 2, 3), with_eigenvalues(0.5, 2, 2, seed=1)]).requires_grad_()
    assert torch.autograd.gradcheck(symmetrised(matrix_square_root), matrices)


@pytest.mark.parametrize("num_iterations", [30, None])
def test_the_trace_of_the_root_has_the_gradient_of_finite_differences(num_iterations: int | None) -> None:
    matrices = torch.stack([with_eigenvalues(1, 2, 3), with_eigenvalues(0.5, 2, 2, seed=1)]).requires_grad_()
    assert torch.autograd.gradcheck(symmetrised(trace_of_square_root, num_iterations), matrices)


@pytest.mark.parametrize("function", [matrix_square_root, trace_of_square_root])
def test_the_root_of_a_zero_matrix_is_0_with_a_finite_gradient(function: Callable[[Tensor], Tensor]) -> None:
    matrix = torch.zeros(2, 4, 4, requires_grad=True)
    root = function(matrix)
    (gradient,) = torch.autograd.grad(root.sum(), matrix)
    assert not root.any()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("num_iterations", [12, 15, 20, 30])
@pytest.mark.parametrize("function", [matrix_square_root, trace_of_square_root])
def test_the_root_of_a_singular_matrix_is_right_with_a_finite_gradient(
    function: Callable[..., Tensor], num_iterations: int
) -> None:
    vector = torch.tensor([1.0, 2.0, 2.0, 0.0])
    matrix = torch.outer(vector, vector).requires_grad_()  # its root is itself divided by 3
    root = function(matrix, num_iterations=num_iterations)
    expected = matrix.detach() / 3 if root.ndim else torch.tensor(3.0)
    torch.testing.assert_close(root.detach(), expected, rtol=1e-3, atol=2e-3)
    (gradient,) = torch.autograd.grad(root.sum(), matrix)
    assert gradient.isfinite().all()


def test_the_gradient_of_the_trace_stops_growing_where_rounding_begins() -> None:
    vector = torch.tensor([1.0, 2.0, 2.0, 0.0])
    matrix = torch.outer(vector, vector).requires_grad_()
    (gradient,) = torch.autograd.grad(trace_of_square_root(matrix), matrix)
    # Half the inverse root of the largest eigenvalue, 9, times the precision and the size.
    bound = 0.5 / (9 * 1.2e-7 * 4) ** 0.5
    assert 0.9 * bound < torch.linalg.matrix_norm(gradient, ord=2) < 1.1 * bound


@pytest.mark.parametrize("function", [matrix_square_root, trace_of_square_root])
def test_the_root_of_an_ill_conditioned_matrix_in_float32_is_finite_and_close(
    function: Callable[..., Tensor],
) -> None:
    # Eigenvalues from 1e4 down to 1e-6: single precision cannot hold the small ones.
    double = with_eigenvalues(*(10.0 ** torch.linspace(-6, 4, 32, dtype=torch.float64)).tolist())
    single = double.float().requires_grad_()
    root = function(single)
    expected = torch.from_numpy(eigh_root(double))
    expected = expected if root.ndim else expected.trace()
    difference = (root.detach().double() - expected).abs().max() / expected.abs().max()
    assert difference < 0.01
    (gradient,) = torch.autograd.grad(root.sum(), single)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("function", [matrix_square_root, trace_of_square_root])
def test_roots_and_their_gradients_are_the_same_under_autocast(function: Callable[[Tensor], Tensor]) -> None:
    matrix = with_eigenvalues(1, 2, 3, 4).float().requires_grad_()

    def root_and_gradient() -> tuple[Tensor, Tensor]:
        root = function(matrix)
        return root, torch.autograd.grad(root.square().sum(), matrix)[0]

    expected = root_and_gradient()
    with torch.autocast("cpu", torch.bfloat16):
        found = root_and_gradient()
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


@pytest.mark.parametrize("function", [matrix_square_root, trace_of_square_root])
def test_roots_of_half_precision_are_computed_in_float32(function: Callable[[Tensor], Tensor]) -> None:
    root = function(torch.eye(3, dtype=torch.bfloat16) * 4)
    assert root.dtype == torch.float32
    torch.testing.assert_close(root, 2 * torch.eye(3) if root.ndim else torch.tensor(6.0))


def test_the_trace_of_the_root_of_what_is_not_finite_is_not_a_number() -> None:
    matrix = torch.stack((torch.eye(3), torch.full((3, 3), float("inf")))).requires_grad_()
    trace = trace_of_square_root(matrix)
    (gradient,) = torch.autograd.grad(trace.sum(), matrix)
    assert trace.shape == (2,)
    assert trace.isnan().any()
    assert gradient.isnan().any()


@pytest.mark.parametrize("function", [matrix_square_root, trace_of_square_root])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 2)])
def test_roots_refuse_matrices_that_are_not_square(
    function: Callable[[Tensor], Tensor], shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="`matrix` must be square, got a tensor of shape"):
        function(torch.zeros(shape))
