"""Everything that an image may come in, made a tensor in one place."""

import os
from collections.abc import Sequence
from typing import IO, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pystyle._arguments import check_image, check_range
from pystyle.images._alpha import filled
from pystyle.images._pil import Pixels, check_background, pil_pixels
from pystyle.images._read import DEFAULT_MAX_PIXELS, file_pixels
from pystyle.images._resize import Edge, resize

Picture: TypeAlias = Tensor | Image.Image | NDArray[Any] | str | os.PathLike[str] | IO[bytes]
"""An image: a tensor, a Pillow image, a numpy array, a path, or a binary file object."""

_PICTURES = (Tensor, Image.Image, np.ndarray, str, bytes, os.PathLike)
_LARGEST = {"bool": 1, "uint8": 255, "uint16": 65535}


def as_image(
    source: Picture,
    *,
    edge_size: int | None = None,
    edge: Edge = "short",
    background: Sequence[float] = (1.0, 1.0, 1.0),
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Tensor:
    """Returns an image, whatever it comes in, as RGB in [0, 1].

    Args:
        source: A path or a binary file object, as `read_image` takes them; a Pillow image, as `from_pil`
            does; a numpy array of the axes (height, width) or (height, width, channels), where 1 channel is
            grey, 2 are grey and opacity, 3 are RGB and 4 are RGBA, of the type uint8, uint16, bool, or
            floating in [0, 1]; or a tensor, which is checked and left as it is.
        edge_size: Length in pixels that one edge gets, the other keeping the aspect ratio; None keeps the
            size.
        edge: Which edge has that length: "short", "long", "height" or "width". See `resize`.
        background: Colour, RGB in [0, 1], that shows where the image is transparent.
        max_pixels: Largest accepted product of width and height of a file; see `read_image`.

    Returns:
        A float32 tensor, or the tensor that was given.

    Raises:
        ImageReadError: A file cannot be read.
        TypeError: `source` is nothing of this, or has numbers of another type.
        ValueError: It has another shape or range, or an argument is out of its range.

    Shape:
        - source: a tensor (batch, 3, height, width), an array (height, width[, channels])
        - output: (1, 3, height, width), or that of the tensor

    Example:
        >>> import numpy as np
        >>> as_image(np.array([[[255, 0, 51]]], dtype=np.uint8)).flatten()
        tensor([1.0000, 0.0000, 0.2000])
    """
    check_background(background)
    if isinstance(source, Tensor):
        check_image(source, "`source`")
        check_range(source, "`source`")
        image = source
    else:
        image = _pixels(source, max_pixels).on(background)
    return image if edge_size is None else resize(image, edge_size, edge=edge)


def split_alpha(source: Picture, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> tuple[Tensor, Tensor | None]:
    """Returns the colours of an image, and its opacity.

    Where the image is transparent, it gets the colours of its surroundings, so that it has no edge there.

    Args:
        source: What `as_image` takes; a tensor has no opacity.
        max_pixels: Largest accepted product of width and height of a file; see `read_image`.

    Returns:
        RGB in [0, 1]; and the opacity, 1 where nothing shines through, or None if it is opaque everywhere.

    Raises:
        ImageReadError: A file cannot be read.
        TypeError: `source` is nothing of this, or has numbers of another type.
        ValueError: It has another shape or range.

    Shape:
        - output: (1, 3, height, width) and (1, 1, height, width)

    Example:
        >>> import numpy as np
        >>> pixels = np.array([[[255, 0, 0, 255], [0, 0, 0, 0]]], dtype=np.uint8)
        >>> image, alpha = split_alpha(pixels)
        >>> image[0, :, 0]
        tensor([[1., 1.],
                [0., 0.],
                [0., 0.]])
        >>> alpha
        tensor([[[[1., 0.]]]])
    """
    if isinstance(source, Tensor):
        return as_image(source), None
    image, alpha = _pixels(source, max_pixels).apart()
    if alpha is None or bool((alpha == 1).all()):
        return image, None
    return filled(image, alpha), alpha


def is_picture(source: object) -> bool:
    """Whether it is one image, and not several; it need not be one that can be read."""
    return isinstance(source, _PICTURES) or hasattr(source, "read")


def _pixels(source: Any, max_pixels: int) -> Pixels:
    if isinstance(source, Image.Image):
        if 0 in source.size:
            raise ValueError(f"`source` must have pixels, got width and height {source.size}.")
        return pil_pixels(source)
    if isinstance(source, np.ndarray):
        return _array_pixels(source)
    if isinstance(source, str | os.PathLike) or hasattr(source, "read"):
        return file_pixels(source, max_pixels)
    fix = " Wrap bytes in io.BytesIO." if isinstance(source, bytes) else ""
    raise TypeError(
        "`source` must be an image (a tensor, a Pillow image, a numpy array, a path or a binary file), got a "
        f"{type(source).__name__}.{fix}"
    )


def _array_pixels(array: NDArray[Any]) -> Pixels:
    largest = 1 if array.dtype.kind == "f" else _LARGEST.get(array.dtype.name)
    if largest is None:
        raise TypeError(
            f"`source` must be an array of uint8, uint16, bool or floats in [0, 1], got {array.dtype}. "
            "Convert it with `astype`."
        )
    shape = array.shape
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 2, 3, 4)) or 0 in shape:
        fix = ""
        if len(shape) == 3 and shape[0] in (1, 3, 4):
            fix = " Channels come last: `array.transpose(1, 2, 0)`."
        if len(shape) == 4 and shape[0] == 1:
            fix = " Take the image out of the batch: `array[0]`."
        raise ValueError(
            "`source` must be an array of the shape (height, width) or (height, width, channels) with 1 to 4 "
            f"channels, got {shape}.{fix}"
        )
    values = array.reshape(*shape[:2], -1).astype(np.float32) / np.float32(largest)
    check_range(torch.from_numpy(values), "`source`")
    is_grey = values.shape[2] < 3
    colors = values[..., :1].repeat(3, 2) if is_grey else values[..., :3]
    return Pixels(colors, values[..., -1:] if values.shape[2] in (2, 4) else None, orientation=1)
