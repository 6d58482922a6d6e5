"""Colours as pure functions of images: colour spaces, matched colours, luminance.

All take RGB images as :func:`~pystyle.images.read_image` gives them: encoded as sRGB, in [0, 1]. Values
outside are taken as they are, so that a conversion and its inverse give them back.
"""

from pystyle.colors._linear import linear_to_rgb, rgb_to_linear
from pystyle.colors._luma import luminance, rgb_to_ycbcr, rgb_to_yiq, ycbcr_to_rgb, yiq_to_rgb
from pystyle.colors._match import match_colors
from pystyle.colors._oklab import oklab_to_rgb, rgb_to_oklab
from pystyle.colors._transfer import match_luminance, transfer_luminance

__all__ = [
    "linear_to_rgb",
    "luminance",
    "match_colors",
    "match_luminance",
    "oklab_to_rgb",
    "rgb_to_linear",
    "rgb_to_oklab",
    "rgb_to_ycbcr",
    "rgb_to_yiq",
    "transfer_luminance",
    "ycbcr_to_rgb",
    "yiq_to_rgb",
]
