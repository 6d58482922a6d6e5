"""Pictures of 256 colours, as a GIF holds them."""

import math
from typing import Any

import numpy as np
from PIL import Image

from pystyle.video._pixels import Pixels

_SAMPLES = 20_000
"""Pixels from which the colours are found; of more the time would be spent there."""


def palette_frame(pixels: Pixels) -> Any:
    """A frame of PyAV with the 256 colours that fit these pixels best, and dithered."""
    from av import VideoFrame

    picture = Image.fromarray(pixels)
    step = max(1, math.isqrt(pixels.shape[0] * pixels.shape[1] // _SAMPLES))
    sampled = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
    colours = sampled.quantize(256, method=Image.Quantize.MEDIANCUT)
    dithered = picture.quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG)
    table = np.full((256, 4), 255, np.uint8)
    table[:, 1:] = 0
    found = np.asarray(dithered.getpalette(), np.uint8).reshape(-1, 3)
    table[: len(found), 1:] = found
    planes: Any = (np.asarray(dithered), table)
    return VideoFrame.from_ndarray(planes, format="pal8")
