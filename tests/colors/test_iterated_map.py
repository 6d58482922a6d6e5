"""The map of covariances by products alone is the one by eigenvectors."""

import pytest
import torch

from pystyle.colors._iterated_map import iterated_map

SMALLEST = (1 / 255) ** 2


def by_eigenvectors(covariance, target):
    values, vectors = torch.linalg.eigh(covariance)
    values = values.clamp(min=SMALLEST)
    root, inverse = (vectors * values[:, None] ** power @ vectors.mT for power in (0.5, -0.5))
    between, directions = torch.linalg.eigh(root @ target @ root)
    return inverse @ (directions * between.clamp(min=0)[:, None] ** 0.5 @ directions.mT) @ inverse


def covariance_of(channels, smallest, seed):
    generator = torch.Generator().manual_seed(seed)
    square = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    directions = torch.linalg.qr(square).Q
    values = torch.logspace(0, float(torch.log10(torch.tensor(smallest))), channels, dtype=torch.float64)
    return ((directions * values) @ directions.mT)[None]


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 100.0])
@pytest.mark.parametrize("channels", [3, 32, 128])
def test_the_map_is_that_of_eigenvectors(channels, scale):
    content = scale * covariance_of(channels, 1e-4, seed=0)
    style = covariance_of(channels, 1e-3, seed=1)
    found = iterated_map(content, style, smallest=SMALLEST)
    wanted = by_eigenvectors(content, style)
    assert (found - wanted).abs().max() < 1e-7 * wanted.abs().max()


def test_a_grey_content_and_a_grey_style_get_what_is_by_hand():
    content = torch.diag(torch.tensor([0.04, 0.0, 0.0], dtype=torch.float64))[None]
    style = torch.diag(torch.tensor([0.0, 0.09, 0.0], dtype=torch.float64))[None]
    # The second channel is raised to the smallest variance: 0.3 / (1 / 255).
    wanted = torch.diag(torch.tensor([0.0, 0.3 * 255, 0.0], dtype=torch.float64))[None]
    torch.testing.assert_close(iterated_map(content, style, smallest=SMALLEST), wanted, rtol=1e-6, atol=1e-4)


def test_a_content_of_one_colour_has_the_root_of_the_style_times_its_smallest_deviation():
    content = torch.zeros(1, 3, 3, dtype=torch.float64)
    style = torch.diag(torch.tensor([0.01, 0.04, 0.09], dtype=torch.float64))[None]
    wanted = 255 * torch.diag(torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64))[None]
    torch.testing.assert_close(iterated_map(content, style, smallest=SMALLEST), wanted, rtol=1e-6, atol=1e-6)
