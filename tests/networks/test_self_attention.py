"""Self-attention of SAGAN: by loops, nothing at the start, any size."""

import math

import pytest
import torch

from pystyle.networks import SelfAttention


def trained(channels, *, spectral=False):
    torch.manual_seed(0)
    attention = SelfAttention(channels, spectral=spectral).eval()
    with torch.no_grad():
        attention.gamma.fill_(0.5)
    return attention


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("size", [(4, 6), (5, 3), (1, 1)])
def test_each_position_adds_what_it_sees_of_all_others(size, spectral):
    """Position by position, in numbers of Python."""
    attention = trained(9, spectral=spectral)
    features = torch.randn(2, 9, *size)
    weights = [
        getattr(attention, name).weight.detach()[:, :, 0, 0]
        for name in ("queries", "keys", "values", "output")
    ]
    queries, keys, values, output = weights
    assert [len(one) for one in weights] == [1, 1, 4, 9]
    expected = torch.empty_like(features)
    blocks = [(row, column) for row in range(0, size[0], 2) for column in range(0, size[1], 2)]
    for image, picture in zip(features, expected, strict=True):

        def largest(weight, row, column, image=image):
            block = image[:, row : row + 2, column : column + 2].flatten(1)
            return (weight @ block).amax(1)

        for row in range(size[0]):
            for column in range(size[1]):
                here = image[:, row, column]
                scores = [math.exp(float((queries @ here) @ largest(keys, *block))) for block in blocks]
                seen = sum(
                    score / sum(scores) * largest(values, *block)
                    for score, block in zip(scores, blocks, strict=True)
                )
                picture[:, row, column] = here + 0.5 * (output @ seen)
    torch.testing.assert_close(attention(features), expected)


@pytest.mark.parametrize("channels", [1, 7, 8, 64])
def test_nothing_is_changed_at_the_start_to_the_last_bit(channels):
    features = torch.randn(2, channels, 5, 4) * 1e3
    assert torch.equal(SelfAttention(channels)(features), features)


def test_it_has_the_published_weights():
    weights = 64 * 8 + 64 * 8 + 64 * 32 + 32 * 64 + 1
    assert sum(p.numel() for p in SelfAttention(64).parameters()) == weights
    assert [tuple(p.shape[:2]) for p in SelfAttention(3, spectral=False).parameters()] == [
        (), (1, 3), (1, 3), (1, 3), (3, 1),
    ]  # fmt: skip


def test_no_kernel_amplifies():
    torch.manual_seed(0)
    attention = SelfAttention(16)
    for _ in range(50):
        attention(torch.rand(1, 16, 2, 2))
    attention.eval()
    for layer in (attention.queries, attention.keys, attention.values, attention.output):
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        torch.testing.assert_close(largest, torch.tensor(1.0), rtol=1e-3, atol=0)


def test_at_the_start_only_gamma_learns_and_then_all_weights():
    features = torch.randn(1, 16, 4, 4)
    for gamma, reached in ((0.0, 1), (0.5, 5)):
        attention = SelfAttention(16)
        attention.gamma.data.fill_(gamma)
        attention(features).square().sum().backward()
        assert sum(bool(p.grad.any()) for p in attention.parameters()) == reached


def test_what_comes_out_has_the_type_of_what_comes_in():
    for kind in (torch.bfloat16, torch.float64):
        features = torch.rand(1, 8, 3, 3, dtype=kind)
        assert SelfAttention(8).to(kind)(features).dtype == kind


def test_a_number_of_channels_that_means_nothing_is_refused():
    with pytest.raises(ValueError, match="`channels` must"):
        SelfAttention(0)
