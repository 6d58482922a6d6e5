import pytest
import torch
from torch import Tensor

from pystyle.functional import gram_matrix


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Channels (1, 2, 3) and (4, 0, -1) over three positions.
FEATURES = torch.tensor([[[[1.0, 2.0, 3.0]], [[4.0, 0.0, -1.0]]]])
PRODUCTS = torch.tensor([[[14.0, 1.0], [1.0, 17.0]]])


@pytest.mark.parametrize(("normalization", "divisor"), [("none", 1), ("hw", 3), ("chw", 6)])
def test_gram_matrix_of_three_positions_is_worked_out_by_hand(normalization: str, divisor: int) -> None:
    gram = gram_matrix(FEATURES, normalization=normalization)  # type: ignore[arg-type]
    torch.testing.assert_close(gram, PRODUCTS / divisor)


def test_gram_matrix_divides_by_the_number_of_positions_by_default() -> None:
    torch.testing.assert_close(gram_matrix(FEATURES), PRODUCTS / 3)


def test_gram_matrix_ignores_the_order_of_positions() -> None:
    features = noise(2, 4, 5, 6)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    shuffled = features.flatten(2)[:, :, order].reshape(2, 4, 6, 5)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(features))


def test_gram_matrix_of_a_batch_holds_that_of_each_image() -> None:
    features = noise(3, 4, 2, 5)
    one_by_one = torch.cat([gram_matrix(image[None]) for image in features])
    torch.testing.assert_close(gram_matrix(features), one_by_one)


@pytest.mark.parametrize("shape", [(1, 3, 8), (1, 3, 2, 4), (1, 3, 2, 2, 2)])
def test_gram_matrix_takes_any_number_of_position_axes(shape: tuple[int, ...]) -> None:
    features = noise(1, 3, 8)
    torch.testing.assert_close(gram_matrix(features.reshape(shape)), gram_matrix(features))


def test_gram_matrix_does_not_depend_on_the_memory_layout() -> None:
    features = noise(2, 4, 5, 6)
    expected = gram_matrix(features)
    torch.testing.assert_close(gram_matrix(features.contiguous(memory_format=torch.channels_last)), expected)
    torch.testing.assert_close(gram_matrix(features.mT.contiguous().mT), expected)


@pytest.mark.parametrize("normalization", ["none", "hw", "chw"])
def test_gram_matrix_has_the_gradient_of_finite_differences(normalization: str) -> None:
    features = noise(2, 3, 2, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: gram_matrix(f, normalization=normalization), features)  # type: ignore[arg-type]
    assert torch.autograd.gradgradcheck(lambda f: gram_matrix(f), features)


def test_gram_matrix_has_the_gradient_of_plain_autograd() -> None:
    features, upstream = noise(2, 5, 3, 4).requires_grad_(), noise(2, 5, 5, seed=1)
    plain = torch.einsum("nchw,ndhw->ncd", features, features) / 12
    (expected,) = torch.autograd.grad((plain * upstream).sum(), features)
    (gradient,) = torch.autograd.grad((gram_matrix(features) * upstream).sum(), features)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_gram_matrix_of_large_half_precision_features_does_not_overflow(dtype: torch.dtype) -> None:
    # 2e4 squared is 4e8; float16 ends at 65,504.
    features = torch.full((1, 2, 8, 8), 2e4, dtype=dtype, requires_grad=True)
    gram = gram_matrix(features)
    assert gram.dtype == torch.float32
    torch.testing.assert_close(gram, torch.full((1, 2, 2), 4e8), rtol=1e-2, atol=0)
    (gradient,) = torch.autograd.grad(gram.sum() / 1e6, features)
    assert gradient.dtype == dtype
    assert gradient.isfinite().all()


def test_gram_matrix_keeps_float64() -> None:
    assert gram_matrix(noise(1, 2, 3, 3)).dtype == torch.float64


def test_gram_matrix_and_its_gradient_are_the_same_under_autocast() -> None:
    features, upstream = noise(1, 8, 6, 6).float().requires_grad_(), noise(1, 8, 8, seed=1).float()
    expected = gram_matrix(features)
    (expected_gradient,) = torch.autograd.grad((expected * upstream).sum(), features)
    with torch.autocast("cpu", torch.bfloat16):
        gram = gram_matrix(features)
        (gradient,) = torch.autograd.grad((gram * upstream).sum(), features)
    assert torch.equal(gram, expected)
    assert torch.equal(gradient, expected_gradient)


def test_gram_matrix_leaves_the_features_alone() -> None:
    features = noise(1, 2, 3, 3)
    before = features.clone()
    gram_matrix(features)
    assert torch.equal(features, before)


@pytest.mark.parametrize("shape", [(), (3,), (4, 5)])
def test_gram_matrix_needs_a_position_axis(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`features` must have the axes \(batch, channels, height, width\)"):
        gram_matrix(torch.zeros(shape))


def test_gram_matrix_names_the_normalizations_that_it_knows() -> None:
    with pytest.raises(ValueError, match=r"must be one of \('none', 'hw', 'chw'\), got 'whc'"):
        gram_matrix(FEATURES, normalization="whc")  # type: ignore[arg-type]


def test_gram_matrix_refuses_integers() -> None:
    with pytest.raises(TypeError, match=r"floating-point features, got torch\.uint8.*\.float\(\)"):
        gram_matrix(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
