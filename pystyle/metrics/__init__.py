"""Measures of finished pictures: what the user gets, judged by what no objective looks at.

Measures of pictures take images as :func:`~pystyle.images.read_image` gives them, RGB in [0, 1], and give a
number for each image of a batch. Measures of sets take features of many pictures, from any network. Nothing
is computed with gradients. Judge the picture that is saved: quantised and clamped
(:func:`~pystyle.images.quantise`).

No measure tells all: white noise on a photograph brings its features nearer to those of a painting, and only
:func:`noise_ratio` tells. Each says which way is better and what it cannot see.
"""

from pystyle.metrics._art_fid import art_fid
from pystyle.metrics._clips import flicker, warping_error
from pystyle.metrics._colors import color_distance, saturation_ratio
from pystyle.metrics._compare_sets import SetComparison, compare_sets
from pystyle.metrics._deception import deception_rate
from pystyle.metrics._frechet_distance import frechet_distance
from pystyle.metrics._gram_distance import GramDistance
from pystyle.metrics._inception import InceptionFeatures
from pystyle.metrics._judge import MEASURES, Judge, Judgement, Measure
from pystyle.metrics._kernel_distance import KernelDistance, kernel_distance
from pystyle.metrics._lpips import LPIPS
from pystyle.metrics._noise import finest_band_energy, noise_ratio
from pystyle.metrics._precision_recall import PrecisionRecall, precision_recall
from pystyle.metrics._published_inception import published_inception
from pystyle.metrics._published_trunk import published_trunk
from pystyle.metrics._similarity import multiscale_ssim, psnr, ssim
from pystyle.metrics._single_image_distance import SingleImageDistance
from pystyle.metrics._statistics import FeatureStatistics
from pystyle.metrics._structure_distance import StructureDistance
from pystyle.metrics._style_distance import StyleDistance

__all__ = [
    "FeatureStatistics",
    "GramDistance",
    "InceptionFeatures",
    "Judge",
    "Judgement",
    "KernelDistance",
    "LPIPS",
    "MEASURES",
    "Measure",
    "PrecisionRecall",
    "SetComparison",
    "SingleImageDistance",
    "StructureDistance",
    "StyleDistance",
    "art_fid",
    "color_distance",
    "compare_sets",
    "deception_rate",
    "finest_band_energy",
    "flicker",
    "frechet_distance",
    "kernel_distance",
    "multiscale_ssim",
    "noise_ratio",
    "precision_recall",
    "psnr",
    "published_inception",
    "published_trunk",
    "saturation_ratio",
    "ssim",
    "warping_error",
]
