"""Uploaded pictures as tensors, and painted ones as files."""

import io

from torch import Tensor

from pystyle._arguments import explained_allocations
from pystyle.images import ImageReadError, read_image, resize, scaled_size, write_image
from pystyle.serving._form import ORIGINAL_SIZE
from pystyle.serving._limits import Limits
from pystyle.serving._problem import ProblemError

_SIGNATURES = {"JPEG": (0, b"\xff\xd8\xff"), "PNG": (0, b"\x89PNG\r\n\x1a\n"), "WebP": (8, b"WEBP")}
"""Where files of the formats that are taken have which bytes.

The library reads more, of which some have decoders that are rarely attacked and rarely repaired.
"""


def decoded(data: bytes, field: str, limits: Limits) -> Tensor:
    """The picture in a file that a client has sent, as RGB in [0, 1] on white.

    Raises:
        ProblemError: If it has another format, too many pixels, or is damaged.
    """
    if not any(data[start : start + len(magic)] == magic for start, magic in _SIGNATURES.values()):
        raise ProblemError(
            415, f"`{field}` must be a picture in one of the formats {', '.join(_SIGNATURES)}."
        )
    try:
        return read_image(io.BytesIO(data), max_pixels=limits.upload_pixels)
    except ImageReadError as error:
        # What the library advises is for Python.
        detail, too_large, _ = str(error).partition(" If you trust the file")
        detail = detail.replace("the stream", f"`{field}`", 1)
        raise ProblemError(413 if too_large else 422, detail) from error


def sized(image: Tensor, size: int | str, field: str, *, smallest: int, limits: Limits) -> Tensor:
    """A picture at the size at which it is painted or looked at.

    Args:
        image: The picture.
        size: Its short edge, or "original".
        field: How errors call it.
        smallest: The smallest side, in pixels.
        limits: Of the service.

    Raises:
        ProblemError: If it would be too small or too large.
    """
    old = (image.shape[2], image.shape[3])
    height, width = old if size == ORIGINAL_SIZE else scaled_size(old, int(size))
    if min(height, width) < smallest:
        raise ProblemError(
            422, f"`{field}` must have sides of at least {smallest} pixels, got {height} x {width}."
        )
    if height * width > limits.picture_pixels:
        raise ProblemError(
            413,
            f"`{field}` must have at most {limits.picture_pixels} pixels at the size that is asked for, got "
            f"{height} x {width} = {height * width}.",
        )
    return image if (height, width) == old else resize(image, (height, width))


@explained_allocations("Writing the picture")
def encoded(image: Tensor, format: str, quality: int) -> bytes:
    """The file of a picture."""
    stream = io.BytesIO()
    write_image(image, stream, format=format, quality=quality)
    return stream.getvalue()
