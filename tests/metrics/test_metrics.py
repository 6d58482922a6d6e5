"""Measures against scikit-image, SciPy, and numbers worked out by hand."""

import numpy as np
import pytest
import torch

from pystyle.metrics import (
    color_distance,
    finest_band_energy,
    multiscale_ssim,
    noise_ratio,
    psnr,
    saturation_ratio,
    ssim,
)

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.rand(2, 3, 24, 31, generator=GENERATOR)
REFERENCES = (IMAGES + 0.2 * torch.randn(2, 3, 24, 31, generator=GENERATOR)).clamp(0, 1)
OF_PAIRS = [psnr, ssim, multiscale_ssim]
OF_STYLES = [color_distance, saturation_ratio]


def arrays(images):
    return [image.permute(1, 2, 0).double().numpy() for image in images]


def test_psnr_and_ssim_are_those_of_scikit_image():
    skimage = pytest.importorskip("skimage.metrics")
    pairs = list(zip(arrays(IMAGES), arrays(REFERENCES), strict=True))
    expected = [skimage.peak_signal_noise_ratio(reference, image, data_range=1) for image, reference in pairs]
    assert psnr(IMAGES, REFERENCES).tolist() == pytest.approx(expected, abs=1e-10)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
    expected = [skimage.structural_similarity(*pair, channel_axis=2, **options) for pair in pairs]
    assert ssim(IMAGES, REFERENCES).tolist() == pytest.approx(expected, abs=1e-10)


def moments_under_the_window(first, second):
    """Means, variances and covariance of the one position that a window of 11 x 11 has there."""
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / np.outer(line, line).sum()
    means = (window * first).sum(), (window * second).sum()
    centred = first - means[0], second - means[1]
    variances = (window * centred[0] ** 2).sum(), (window * centred[1] ** 2).sum()
    return means, variances, (window * centred[0] * centred[1]).sum()


def test_the_last_scale_has_the_luminance_and_those_before_do_not():
    small, reference = IMAGES[:1, :, :22, :22], REFERENCES[:1, :, :22, :22]
    # 22 pixels become 11 at the second scale, where the window has one position.
    halves = [array.reshape(11, 2, 11, 2, 3).mean((1, 3)) for array in (*arrays(small), *arrays(reference))]
    last = []
    for channel in range(3):
        means, variances, both = moments_under_the_window(halves[0][..., channel], halves[1][..., channel])
        luminance = (2 * means[0] * means[1] + 1e-4) / (means[0] ** 2 + means[1] ** 2 + 1e-4)
        last.append(luminance * (2 * both + 9e-4) / (sum(variances) + 9e-4))
    first = []
    for channel in range(3):
        for top in range(12):
            for left in range(12):
                parts = [
                    array[top : top + 11, left : left + 11, channel]
                    for array in (*arrays(small), *arrays(reference))
                ]
                _, variances, both = moments_under_the_window(*parts)
                first.append((2 * both + 9e-4) / (sum(variances) + 9e-4))
    expected = np.mean(first) ** 0.3 * np.mean(last) ** 0.7
    assert multiscale_ssim(small, reference, weights=(0.3, 0.7)).item() == pytest.approx(expected, abs=1e-12)


def test_structure_that_is_turned_into_its_negative_counts_as_zero():
    assert ssim(IMAGES, 1 - IMAGES).max() < 0
    assert multiscale_ssim(IMAGES, 1 - IMAGES, weights=(1.0,)).tolist() == [0, 0]


@pytest.mark.parametrize("size", [(24, 31), (7, 5), (48, 62)])
def test_the_distance_of_colours_is_that_of_scipy_for_any_two_sizes(size):
    wasserstein_distance = pytest.importorskip("scipy.stats").wasserstein_distance
    style = torch.rand(1, 3, *size, generator=GENERATOR) ** 2
    expected = [
        np.mean([wasserstein_distance(image[c].flatten(), style[0, c].flatten()) for c in range(3)])
        for image in IMAGES
    ]
    assert color_distance(IMAGES, style).tolist() == pytest.approx(expected, abs=1e-7)


def test_grey_has_no_saturation():
    grey = torch.full((1, 3, 4, 4), 0.5)
    assert saturation_ratio(grey, IMAGES[:1]).tolist() == [0]
    assert saturation_ratio(IMAGES[:1], grey).tolist() == [float("inf")]


def test_noise_is_beside_the_noisier_source():
    board = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(1, 3, 4, 4)
    grey = torch.full((1, 3, 8, 8), 0.5)
    assert finest_band_energy(board).tolist() == [0.25]
    assert finest_band_energy(board[..., :-1, :]).tolist() == [0.25]
    both = torch.cat([board, 0.25 + board / 2])
    assert noise_ratio(both, grey, board).tolist() == [1, 0.25]
    assert noise_ratio(both, board, grey).tolist() == [1, 0.25]


@pytest.mark.parametrize("measure", [*OF_PAIRS, *OF_STYLES])
def test_a_batch_has_the_numbers_of_its_images(measure):
    images = torch.rand(3, 3, 180, 177, generator=GENERATOR)
    others = torch.rand(3, 3, 180, 177, generator=GENERATOR)
    singles = [measure(images[i : i + 1], others[i : i + 1]).item() for i in range(3)]
    assert measure(images, others).tolist() == pytest.approx(singles, rel=1e-12)
    assert measure(images, others[:1])[0].item() == pytest.approx(singles[0], rel=1e-12)


@pytest.mark.parametrize("measure", [*OF_PAIRS, *OF_STYLES])
def test_what_is_no_picture_is_refused(measure):
    with pytest.raises(TypeError, match="`image` must be a floating"):
        measure((255 * IMAGES).byte(), IMAGES)
    with pytest.raises(ValueError, match="must"):
        measure(2 * IMAGES + 0.5, IMAGES)
    with pytest.raises(ValueError, match=r"must be one image or as many as `image`, got 3 for 2\."):
        measure(IMAGES, IMAGES[:1].expand(3, -1, -1, -1))


@pytest.mark.parametrize("measure", OF_PAIRS)
def test_pixels_are_compared_at_one_size(measure):
    with pytest.raises(ValueError, match="`reference` must have the size of `image`, got"):
        measure(IMAGES, IMAGES[..., 1:])


def test_images_smaller_than_the_window_are_refused():
    with pytest.raises(ValueError, match=r"`image` must have at least 11 pixels each way"):
        ssim(IMAGES[..., :10], REFERENCES[..., :10])
    with pytest.raises(ValueError, match=r"`image` must have at least 176 pixels each way"):
        multiscale_ssim(IMAGES, REFERENCES)
    with pytest.raises(ValueError, match="`weights` must have an exponent for each scale"):
        multiscale_ssim(IMAGES, REFERENCES, weights=())
    with pytest.raises(ValueError, match="at least 2 x 2 pixels"):
        finest_band_energy(IMAGES[..., :1])
    with pytest.raises(ValueError, match="`style` must be one image or as many"):
        noise_ratio(IMAGES, IMAGES, IMAGES[:1].expand(3, -1, -1, -1))
