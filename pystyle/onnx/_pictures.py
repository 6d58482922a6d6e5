import os
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_WHITE = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I;16N": 65535, "I": 65535, "F": 1}
"""Of modes of grey with more than 8 bits, which Pillow would cut off at 255."""


def as_array(image: Image.Image | str | os.PathLike[str] | IO[bytes]) -> NDArray[np.float32]:
    """The pixels of a picture, upright, and with what is transparent on white.

    Args:
        image: An image of Pillow, or a file.

    Returns:
        The pixels as a network takes them.

    Raises:
        OSError: If the file cannot be read, or is no picture.
        ValueError: If grey of more than 8 bits has values beyond 65535, or, of the mode ``F``, beyond 1.

    Shape:
        - output: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> as_array(Image.new("RGB", (3, 2), "red"))[0, :, 0, 0].tolist()
        [1.0, 0.0, 0.0]

    Note:
        Colour profiles are ignored, of pictures with more than 8 bits for a colour Pillow keeps 8, and grey
        of 12 bits is dark; :func:`pystyle.images.read_image`, which needs torch, heeds them all.
    """
    if not isinstance(image, Image.Image):
        with Image.open(image) as opened:
            return as_array(opened)
    upright = ImageOps.exif_transpose(image)
    pixels = _deep_grey(upright) if upright.mode in _WHITE else _on_white(upright)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def _on_white(image: Image.Image) -> NDArray[np.float32]:
    # Pillow takes this mode to its straight counterpart only.
    colors = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(paper, colors).convert("RGB"), dtype=np.float32) / np.float32(255)


def _deep_grey(image: Image.Image) -> NDArray[np.float32]:
    values, white = np.asarray(image), _WHITE[image.mode]
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= white):
        raise ValueError(
            f"`image` of the mode {image.mode} must have values from 0 to {white}, got {low} to {high}. "
            "Scale them first."
        )
    grey = values.astype(np.float32) / np.float32(white)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 1
    return np.repeat(grey[..., None], 3, 2)


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
