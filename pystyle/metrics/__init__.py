"""Measures of finished pictures: what the user gets, judged by what no objective looks at.

All take images as :func:`~pystyle.images.read_image` gives them, RGB in [0, 1], and give a number for each
image of a batch. Nothing is computed with gradients. Judge the picture that is saved: quantised and clamped
(:func:`~pystyle.images.quantise`).

No measure tells all: white noise on a photograph brings its features nearer to those of a painting, and only
:func:`noise_ratio` tells. Each says which way is better and what it cannot see.
"""

from pystyle.metrics._colors import color_distance, saturation_ratio
from pystyle.metrics._noise import finest_band_energy, noise_ratio
from pystyle.metrics._similarity import multiscale_ssim, psnr, ssim

__all__ = [
    "color_distance",
    "finest_band_energy",
    "multiscale_ssim",
    "noise_ratio",
    "psnr",
    "saturation_ratio",
    "ssim",
]
