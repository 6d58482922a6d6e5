"""Haar wavelets by hand, and by the convolutions of torch."""

import pytest
import torch
import torch.nn.functional as F

from pystyle.networks import HaarBands, haar_parts, haar_pooling, haar_unpooling

LOW, HIGH = torch.tensor([1.0, 1.0]) / 2**0.5, torch.tensor([-1.0, 1.0]) / 2**0.5
# Of each band: what its filter does along columns, and along rows.
FILTERS = [torch.outer(down, across).double() for down in (LOW, HIGH) for across in (LOW, HIGH)]


def by_convolutions(features):
    channels = features.shape[1]
    kernels = [kernel.expand(channels, 1, 2, 2) for kernel in FILTERS]
    return [F.conv2d(features, kernel, stride=2, groups=channels) for kernel in kernels]


@pytest.fixture
def features():
    return torch.randn(2, 5, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_the_bands_of_four_positions_by_hand():
    bands = haar_pooling(torch.tensor([[[[1.0, 2.0], [5.0, 10.0]]]]))
    assert [float(band) for band in bands] == [9.0, 3.0, 6.0, 2.0]
    # A vertical edge is in the second band alone, a horizontal one in the third.
    edge = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    assert [float(band) for band in haar_pooling(edge[None, None])] == [1.0, 1.0, 0.0, 0.0]
    assert [float(band) for band in haar_pooling(edge.T[None, None])] == [1.0, 0.0, 1.0, 0.0]


def test_they_are_those_of_the_convolutions_of_the_code(features):
    for band, expected in zip(haar_pooling(features), by_convolutions(features), strict=True):
        torch.testing.assert_close(band, expected)


def test_the_parts_are_those_of_transposed_convolutions(features):
    bands = HaarBands(*(torch.randn_like(band) for band in haar_pooling(features)))
    for part, band, kernel in zip(haar_parts(bands), bands, FILTERS, strict=True):
        expected = F.conv_transpose2d(band, kernel.expand(5, 1, 2, 2), stride=2, groups=5)
        torch.testing.assert_close(part, expected)
    torch.testing.assert_close(sum(haar_parts(bands)), haar_unpooling(bands))


@pytest.mark.parametrize("size", [(2, 2), (2, 6), (16, 10), (64, 96)])
def test_unpooling_gives_back_what_was_pooled(size):
    for seed in range(5):
        features = 10 * torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(seed))
        assert float((haar_unpooling(haar_pooling(features)) - features).abs().max()) < 1e-5
        bands = HaarBands(*torch.randn(4, 1, 3, *size, generator=torch.Generator().manual_seed(seed)))
        for again, band in zip(haar_pooling(haar_unpooling(bands)), bands, strict=True):
            assert float((again - band).abs().max()) < 1e-5


def test_nothing_is_lost_or_gained(features):
    energy = sum(band.square().sum() for band in haar_pooling(features))
    torch.testing.assert_close(energy, features.square().sum())
    low, *details = haar_pooling(torch.full((1, 2, 4, 4), 3.0))
    assert torch.equal(low, torch.full((1, 2, 2, 2), 6.0))
    assert all(bool((detail == 0).all()) for detail in details)


def test_the_gradients_are_those_of_the_numbers(features):
    small = features[:1, :1, :2, :4].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: tuple(haar_pooling(x)), small)
    bands = [band.detach().requires_grad_() for band in haar_pooling(small)]
    assert torch.autograd.gradcheck(lambda *x: haar_unpooling(HaarBands(*x)), bands)


def test_odd_sides_are_refused():
    for shape in ((1, 3, 5, 4), (1, 3, 4, 5), (3, 4, 4)):
        with pytest.raises(ValueError, match=r"`features` must have the axes .* with even sides"):
            haar_pooling(torch.rand(shape))
