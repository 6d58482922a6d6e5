import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import contextual_similarity


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def oracle(vectors: Tensor, reference: Tensor, bandwidth: float) -> float:
    """The formulas of the paper, one pair of positions at a time."""
    mean = reference.numpy().mean(1)
    points, others = vectors.numpy().T - mean, reference.numpy().T - mean
    best = np.zeros(len(others))
    for x in points:
        distances = [1 - float(x @ y) / math.hypot(*x) / math.hypot(*y) for y in others]
        weights = [math.exp((1 - d / (min(distances) + 1e-5)) / bandwidth) for d in distances]
        best = np.maximum(best, [weight / sum(weights) for weight in weights])
    return float(best.mean())


@pytest.mark.parametrize("bandwidth", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("count", [4, 9, 17])
def test_contextual_similarity_is_that_of_the_formulas(count: int, bandwidth: float) -> None:
    vectors, reference = noise(2, 5, count), noise(2, 5, 9, seed=1)
    found = contextual_similarity(vectors, reference, bandwidth=bandwidth)
    expected = [oracle(*pair, bandwidth) for pair in zip(vectors, reference, strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


def test_contextual_similarity_by_hand() -> None:
    # Both sets have the mean 0. The vector (1, 1) is at 45 and 135 degrees from two vectors each:
    # d = 1 - 1/sqrt(2) and 1 + 1/sqrt(2), their ratio is 5.828, and with h = 2 the nearer weigh
    # e^0 = 1, the others e^(-4.828 / 2) = 0.0895. Each of the nearer has a share of 1 / 2.179.
    reference = torch.tensor([[[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0]]])
    vectors = torch.tensor([[[1.0], [1.0]]])
    expected = (2 * 1 / 2.1790 + 2 * 0.0895 / 2.1790) / 4
    assert float(contextual_similarity(vectors, reference, bandwidth=2.0)) == pytest.approx(
        expected, rel=1e-3
    )


def test_a_set_is_wholly_similar_to_itself_in_any_order() -> None:
    reference = noise(1, 5, 30)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    assert float(contextual_similarity(reference[:, :, order], reference)) == pytest.approx(1)
    assert float(contextual_similarity(reference.repeat(1, 1, 3), reference)) == pytest.approx(1)


def test_half_of_a_set_is_similar_to_half_of_it() -> None:
    reference = noise(1, 5, 30)
    assert float(contextual_similarity(reference[:, :, :15], reference)) == pytest.approx(0.5, abs=1e-6)


def test_vectors_that_are_all_the_same_are_as_dissimilar_as_can_be() -> None:
    reference = noise(1, 5, 30)
    value = contextual_similarity(torch.zeros(1, 5, 7).double(), reference)
    assert float(value) == pytest.approx(1 / 30)


def test_the_scale_of_the_features_does_not_count() -> None:
    vectors, reference = noise(1, 5, 8), noise(1, 5, 9, seed=1)
    torch.testing.assert_close(
        contextual_similarity(1e4 * vectors, 1e4 * reference), contextual_similarity(vectors, reference)
    )


def test_contextual_similarity_has_the_gradient_of_finite_differences() -> None:
    vectors, reference = noise(2, 3, 4).requires_grad_(), noise(2, 3, 6, seed=1)
    assert torch.autograd.gradcheck(lambda x: contextual_similarity(x, reference, bandwidth=2.0), vectors)


@pytest.mark.parametrize("pairs", [1, 40, 70, 200])
def test_more_pairs_than_fit_into_one_block_give_the_same_value_and_gradient(
    pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, reference = noise(2, 3, 23).requires_grad_(), noise(2, 3, 17, seed=1)
    value = contextual_similarity(vectors, reference)
    (gradient,) = torch.autograd.grad(value.sum(), vectors)
    monkeypatch.setattr("pystyle.functional._vector_sets._LARGEST_BLOCK", pairs)
    parted = contextual_similarity(vectors, reference)
    torch.testing.assert_close(parted, value)
    torch.testing.assert_close(torch.autograd.grad(parted.sum(), vectors)[0], gradient)
    with torch.no_grad():
        assert torch.equal(contextual_similarity(vectors, reference), parted)


def test_blocks_are_not_kept_for_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    # Some blocks of ten vectors; the graph holds their best values and their inputs, not the pairs.
    monkeypatch.setattr("pystyle.functional._vector_sets._LARGEST_BLOCK", 1_000)
    vectors, reference = noise(1, 2, 600).requires_grad_(), noise(1, 2, 100, seed=1)
    sizes: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        contextual_similarity(vectors, reference)
    assert max(sizes) < 2000


def test_vectors_that_are_no_best_match_are_not_in_the_graph() -> None:
    # One vector points where all of the reference is; the others point elsewhere.
    reference = torch.tensor([[[1.0, 1.0, -1.0, -1.0], [5.0, 4.0, 5.0, 4.0], [0.0, 0.0, 0.1, -0.1]]])
    center = reference.mean(2, keepdim=True)
    vectors = torch.cat([reference, center - 3 * torch.eye(3)[None, 2:].mT.expand(1, 3, 500)], 2)
    vectors = vectors.clone().requires_grad_()
    sizes: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        value = contextual_similarity(vectors, reference, bandwidth=0.1)
    # Besides the vectors themselves, 3 channels each, there are some winners with their 4 pairs.
    assert max(sizes) == vectors.numel()
    (gradient,) = torch.autograd.grad(value.sum(), vectors)
    assert not gradient[:, :, 5:].any()


def test_autocast_does_not_make_the_similarity_coarse() -> None:
    vectors, reference = (noise(1, 64, 30, seed=seed).float() + 3 for seed in (0, 1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = contextual_similarity(vectors, reference)
    torch.testing.assert_close(found, contextual_similarity(vectors, reference))


def test_black_features_have_a_finite_similarity_and_gradient() -> None:
    black, lively = torch.zeros(1, 3, 5), noise(1, 3, 5).float()
    for vectors, reference in ((black, lively), (lively, black), (black, black)):
        vectors = vectors.clone().requires_grad_()
        value = contextual_similarity(vectors, reference).sum()
        (gradient,) = torch.autograd.grad(value, vectors)
        assert value.isfinite()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("nan")])
def test_a_bandwidth_that_is_not_positive_is_refused(bandwidth: float) -> None:
    with pytest.raises(ValueError, match="`bandwidth` must be positive, got"):
        contextual_similarity(noise(1, 3, 5), noise(1, 3, 5), bandwidth=bandwidth)


def test_empty_and_unlike_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one vector"):
        contextual_similarity(noise(1, 3, 0), noise(1, 3, 5))
    with pytest.raises(ValueError, match="at least one candidate"):
        contextual_similarity(noise(1, 3, 5), noise(1, 3, 0))
    with pytest.raises(ValueError, match="same number of images and channels"):
        contextual_similarity(noise(1, 3, 5), noise(1, 4, 5))
