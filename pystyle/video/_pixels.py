"""Between the pictures of PyAV and tensors: colours, rotation and sides that must be even.

YUV is turned into RGB with the matrix and the range that the file names. Where it names none, the matrix is
that of BT.709 for pictures that are as large as those of high definition, and that of BT.601 for smaller
ones, as players do.
"""

import struct
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pystyle._arguments import float_type
from pystyle.images._levels import check_single_image, levels

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

_BT709, _BT601 = 1, 5
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""The matrix by the number in a file, H.273; 6 has the coefficients of 5, and 10 nearly those of 9."""

_LIMITED, _FULL = 1, 2
_LARGE = 576


def tensor_of(frame: Any) -> Tensor:
    """The picture of a decoded frame as it is shown, (1, 3, height, width) in [0, 1]."""
    return tensor_of_pixels(_turned(_rgb(frame), frame))


def tensor_of_pixels(pixels: Pixels) -> Tensor:
    """Pixels (height, width, 3) as an image (1, 3, height, width) in [0, 1]."""
    whole = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    image = whole.unsqueeze(0).to(float_type())
    return image.div_(image.new_full((), 255.0))


def pixels_of(image: Tensor) -> Pixels:
    """The nearest pixels (height, width, 3) of an image.

    Raises:
        TypeError: If it is no floating tensor.
        ValueError: If it is not one image, is not finite, or has another scale.
    """
    whole = levels(check_single_image(image).expand(3, -1, -1), 255)
    pixels: Pixels = whole.to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()
    return pixels


def even(pixels: Pixels) -> Pixels:
    """The pixels with the last row and column repeated where a side is odd."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def yuv_frame(pixels: Pixels, pixel_format: str) -> Any:
    """A frame of PyAV in limited range with the matrix of BT.709, and tagged so."""
    frame = _frame(pixels, "rgb24").reformat(
        format=pixel_format, dst_colorspace=_BT709, src_color_range=_FULL, dst_color_range=_LIMITED
    )
    frame.colorspace, frame.color_range = _BT709, _LIMITED
    return frame


def rgb_frame(pixels: Pixels) -> Any:
    """A frame of PyAV with these very pixels."""
    return _frame(pixels, "rgb24")


def _frame(pixels: Any, pixel_format: str) -> Any:
    from av import VideoFrame

    return VideoFrame.from_ndarray(pixels, format=pixel_format)


def _rgb(frame: Any) -> Pixels:
    large = frame.height > _LARGE or frame.width > 2 * _LARGE
    matrix = _MATRICES.get(int(frame.colorspace), _BT709 if large else _BT601)
    full = frame.color_range == _FULL or frame.format.name.startswith("yuvj")
    converted = frame.reformat(
        format="rgb24",
        src_colorspace=matrix,
        src_color_range=_FULL if full else _LIMITED,
        dst_color_range=_FULL,
        interpolation="BICUBIC",
    )
    pixels: Pixels = converted.to_ndarray()
    return pixels


def _turned(pixels: Pixels, frame: Any) -> Pixels:
    """Right angles and mirrors of the display matrix, which says where a pixel (x, y) is shown."""
    data = next((item for item in frame.side_data if item.type.name == "DISPLAYMATRIX"), None)
    if data is None:
        return pixels
    a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
    if abs(b) > abs(a):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    return pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
