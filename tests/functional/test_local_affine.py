"""Local affine maps of colours against a plain loop, and where they are exact."""

import math

import numpy as np
import pytest
import torch

from pystyle.functional import smoothed_local_affine


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def smooth(height, width, seed=0):
    coarse = noise(1, 3, 3, 3, seed=seed)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")


def looped(image, guide, radius, ridge, reach, distance_deviation, color_deviation):
    """Pixel by pixel, with a least-squares solver instead of normal equations."""
    image, guide = image[0].numpy(), guide[0].numpy()
    _, height, width = guide.shape
    maps = np.zeros((height, width, 3, 4))
    for y in range(height):
        for x in range(width):
            rows = slice(max(y - radius, 0), y + radius + 1)
            columns = slice(max(x - radius, 0), x + radius + 1)
            inputs = guide[:, rows, columns].reshape(3, -1).T
            inputs = np.hstack([inputs, np.ones((len(inputs), 1))])
            # Three more equations keep the linear part small.
            stabilised = np.vstack([inputs, math.sqrt(ridge) * np.eye(4)[:3]])
            outputs = np.vstack([image[:, rows, columns].reshape(3, -1).T, np.zeros((3, 3))])
            maps[y, x] = np.linalg.lstsq(stabilised, outputs, rcond=None)[0].T
    found = np.zeros_like(guide)
    for y in range(height):
        for x in range(width):
            mean, total = np.zeros((3, 4)), 0.0
            for row in range(max(y - reach, 0), min(y + reach, height - 1) + 1):
                for column in range(max(x - reach, 0), min(x + reach, width - 1) + 1):
                    distance = (row - y) ** 2 + (column - x) ** 2
                    difference = ((guide[:, row, column] - guide[:, y, x]) ** 2).sum() / 3
                    weight = math.exp(-distance / (2 * distance_deviation**2))
                    weight *= math.exp(-difference / (2 * color_deviation**2))
                    mean, total = mean + weight * maps[row, column], total + weight
            found[:, y, x] = mean / total @ np.append(guide[:, y, x], 1)
    return found


@pytest.mark.parametrize("radius", [1, 2])
def test_it_is_what_a_loop_over_pixels_gives(radius) -> None:
    image, guide = noise(1, 3, 9, 11), smooth(9, 11)
    found = smoothed_local_affine(
        image, guide, radius=radius, smoothing_radius=3, distance_deviation=1.5, color_deviation=0.1
    )
    expected = looped(image, guide, radius, 1e-3, 3, 1.5, 0.1)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-8)


def test_the_defaults_are_those_of_the_authors_program() -> None:
    image, guide = noise(1, 3, 6, 20), smooth(6, 20)
    expected = looped(image, guide, 1, 1e-3, 15, 5.0, 0.01)
    np.testing.assert_allclose(smoothed_local_affine(image, guide)[0].numpy(), expected, atol=1e-8)


def test_an_affine_image_of_the_guide_comes_back() -> None:
    guide = noise(2, 3, 12, 10)
    matrix = torch.tensor([[0.5, -0.2, 0.1], [0.3, 0.4, 0.0], [-0.1, 0.2, 0.7]], dtype=torch.float64)
    recoloured = torch.einsum("ij,bjhw->bihw", matrix, guide) + 0.1
    torch.testing.assert_close(
        smoothed_local_affine(recoloured, guide, ridge=1e-12), recoloured, atol=1e-8, rtol=0
    )


def test_two_halves_with_maps_of_their_own_keep_them_apart() -> None:
    guide = 0.1 * noise(1, 3, 10, 12)
    guide[..., 6:] += 0.9  # no colour of one half is near one of the other
    other = guide.clone()
    other[..., :6], other[..., 6:] = 0.5 - guide[..., :6], 1.5 * guide[..., 6:] - 0.5
    found = smoothed_local_affine(other, guide, ridge=1e-12, color_deviation=0.05)
    inside = torch.ones(12, dtype=torch.bool)
    inside[5:7] = False  # windows that see both halves
    # The two mixed columns reach their own half only through the smoothing.
    assert float((found - other)[..., inside].abs().median()) < 0.01
    mixed = smoothed_local_affine(other, guide, ridge=1e-12, color_deviation=100.0)
    assert float((mixed - other).abs().median()) > 0.05


def test_noise_in_flat_areas_goes_away() -> None:
    guide = torch.full((1, 3, 16, 16), 0.5, dtype=torch.float64)
    image = guide + 0.1 * (noise(1, 3, 16, 16) - 0.5)
    found = smoothed_local_affine(image, guide)
    assert float(found.std()) < 0.2 * float(image.std())


def test_without_smoothing_each_pixel_has_its_own_map() -> None:
    image, guide = noise(1, 3, 5, 5), noise(1, 3, 5, 5, seed=1)
    found = smoothed_local_affine(image, guide, smoothing_radius=0)
    expected = looped(image, guide, 1, 1e-3, 0, 1.0, 1.0)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-8)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2)])
def test_small_and_flat_images_are_no_trouble(size) -> None:
    for value in (0.0, 1.0):
        guide = torch.full((1, 3, *size), value)
        image = torch.full((1, 3, *size), 0.25)
        found = smoothed_local_affine(image, guide)
        torch.testing.assert_close(found, image, atol=1e-5, rtol=0)


def test_gradients_are_right() -> None:
    image = noise(1, 3, 3, 4).requires_grad_()
    guide = smooth(3, 4)
    assert torch.autograd.gradcheck(
        lambda image: smoothed_local_affine(image, guide, smoothing_radius=2, color_deviation=0.3), image
    )


def test_the_types_of_the_images_are_kept_and_half_precision_is_widened() -> None:
    image, guide = noise(1, 3, 4, 4), noise(1, 3, 4, 4, seed=1)
    assert smoothed_local_affine(image, guide).dtype == torch.float64
    assert smoothed_local_affine(image.bfloat16(), guide.bfloat16()).dtype == torch.float32


def test_wrong_arguments_are_refused() -> None:
    image = noise(1, 3, 4, 4)
    with pytest.raises(ValueError, match="must have the same shape"):
        smoothed_local_affine(image, image[..., :3])
    with pytest.raises(ValueError, match="`radius` must not be negative, got -1"):
        smoothed_local_affine(image, image, radius=-1)
    with pytest.raises(ValueError, match=r"`ridge` must be positive, got 0\.0"):
        smoothed_local_affine(image, image, ridge=0.0)
