import os
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps


def as_array(image: Image.Image | str | os.PathLike[str] | IO[bytes]) -> NDArray[np.float32]:
    """The pixels of a picture, upright, and with what is transparent on white.

    Args:
        image: An image of Pillow, or a file.

    Returns:
        The pixels as a network takes them.

    Raises:
        OSError: If the file cannot be read, or is no picture.

    Shape:
        - output: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> as_array(Image.new("RGB", (3, 2), "red"))[0, :, 0, 0].tolist()
        [1.0, 0.0, 0.0]

    Note:
        Colour profiles are ignored, and of pictures with more than 8 bits for a colour Pillow keeps 8;
        :func:`pystyle.images.read_image`, which needs torch, heeds both.
    """
    if not isinstance(image, Image.Image):
        with Image.open(image) as opened:
            return as_array(opened)
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    paper = Image.new("RGBA", upright.size, "white")
    pixels = np.asarray(Image.alpha_composite(paper, upright).convert("RGB"), dtype=np.float32) / 255
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def as_picture(pixels: NDArray[Any]) -> Image.Image:
    """An image of Pillow with these pixels, in 8 bits.

    Args:
        pixels: What a painter gives, of one picture.

    Raises:
        ValueError: If they have another shape, or leave [0, 1] by more than rounding.

    Shape:
        - pixels: (1, 3, height, width) or (3, height, width), RGB in [0, 1]

    Example:
        >>> as_picture(np.zeros((1, 3, 2, 3), np.float32)).size
        (3, 2)
    """
    one = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    if one.ndim != 3 or one.shape[0] != 3:
        raise ValueError(f"`pixels` must have the shape (1, 3, height, width), got {pixels.shape}.")
    check_range(one, "pixels")
    levels = (one.clip(0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(levels.transpose(1, 2, 0))


def check_range(pixels: NDArray[Any], name: str) -> None:
    """Refuse numbers that are no colours.

    Raises:
        ValueError: If some are not finite, or leave [0, 1] by more than rounding.
    """
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ValueError(
            f"`{name}` must be in [0, 1], got values from {low:g} to {high:g}. Divide 8 bits by 255."
        )
