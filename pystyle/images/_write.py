"""Writing a tensor as an image file."""

import difflib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pystyle._arguments import check_floating, check_range, explained_allocations, whole_number
from pystyle.images._atomic import replace_file
from pystyle.images._levels import check_single_image, levels
from pystyle.images._metadata import Metadata, encoder_options
from pystyle.images._pil import pil_image
from pystyle.images._png16 import png16
from pystyle.images._size_limits import check_size

_LARGEST_SEGMENT = 65_000
"""Bytes; a segment of a JPEG file has a length of 16 bits, of which a few are a header."""

# GIF is not among them: its 256 colours are not the picture that was asked for.
_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".ppm": "PPM",
    ".jp2": "JPEG2000",
}
WITH_ALPHA = ("PNG", "WEBP", "AVIF", "TIFF", "JPEG2000")
"""Formats that have opacity."""


@explained_allocations("Writing an image")
def write_image(
    image: Tensor,
    destination: str | os.PathLike[str] | IO[bytes],
    *,
    bits: Literal[8, 16] = 8,
    quality: int = 95,
    format: str | None = None,
    metadata: Metadata | None = None,
    alpha: Tensor | None = None,
) -> None:
    """Writes one image to a file.

    Values are clamped to [0, 1] and rounded to the nearest level; see `quantise` for the picture that
    results. A file is written under a temporary name and renamed, so that it is complete or absent, and an
    older one survives every failure. No metadata is written but those that are given; the colours are sRGB,
    which is what programs assume without a profile.

    Args:
        image: One image, RGB or grey, of any floating dtype and memory layout, on any device.
        destination: Path, or a binary file object open for writing, which stays open.
        bits: Bits per channel, 8 or 16. Only PNG holds 16.
        quality: From 1 to 100, for JPEG, WebP and AVIF. JPEG and AVIF keep the full resolution of the colours
            (4:4:4). The other formats are lossless.
        format: "png", "jpg", "jpeg", "webp", "avif", "tif", "tiff", "bmp", "ppm" or "jp2". The default is the
            extension of the path, and "png" for a file object.
        metadata: What the file says beside its pixels, such as what `read_metadata` found in a photograph;
            for PNG, JPEG, WebP, AVIF and TIFF.
        alpha: How opaque each pixel is, such as `Result.alpha`; for PNG, WebP, AVIF, TIFF and JPEG 2000.

    Raises:
        TypeError: `image` or `alpha` is not a floating tensor, or `destination` is neither a path nor a file
            object.
        ValueError: `image` is a batch, has other than 1 or 3 channels, has no pixels, or contains NaN or
            infinity; `alpha` has another size or range; an argument is out of its range; or the format
            cannot hold opacity or an image of this size.
        OSError: The file cannot be written: the folder does not exist, the disk is full, ...

    Shape:
        Input: ``(channels, height, width)`` or ``(1, channels, height, width)`` with 1 or 3 channels, in
            [0, 1]; `alpha` with 1 channel.

    Example:
        >>> import io, torch
        >>> stream = io.BytesIO()
        >>> write_image(torch.rand(1, 3, 8, 8), stream, format="jpeg")
        >>> stream.getvalue()[:3]
        b'\xff\xd8\xff'
    """
    is_path = isinstance(destination, (str, os.PathLike))
    if not is_path and not hasattr(destination, "write"):
        raise TypeError(
            f"`destination` must be a path or a binary file object, got {type(destination).__name__}."
        )
    image = check_single_image(image)
    pillow_format = checked_format(destination, bits=bits, quality=quality, format=format)
    if alpha is not None:
        if pillow_format not in WITH_ALPHA:
            raise ValueError(
                f"`alpha` needs a format that has opacity, such as PNG, got {pillow_format}. Name the file "
                "'.png', or leave `alpha` out."
            )
        image = torch.cat((image, _checked_alpha(alpha, image)))
    check_size(pillow_format, image.shape[1], image.shape[2])
    options = encoding_options(metadata, pillow_format, image.shape[1], image.shape[2])
    data = _png16(image, options) if bits == 16 else _encoded(image, pillow_format, quality, options)
    if isinstance(destination, (str, os.PathLike)):
        replace_file(destination, data)
    else:
        destination.write(data)


def _checked_alpha(alpha: Tensor, image: Tensor) -> Tensor:
    check_floating(alpha, "`alpha`")
    if alpha.shape not in ((1, 1, *image.shape[1:]), (1, *image.shape[1:])):
        raise ValueError(
            f"`alpha` must have the shape (1, 1, {image.shape[1]}, {image.shape[2]}) of the image, got "
            f"{tuple(alpha.shape)}."
        )
    check_range(alpha, "`alpha`")
    return alpha.detach().reshape(1, *image.shape[1:]).to(image)


def checked_format(
    destination: object, *, bits: int = 8, quality: int = 95, format: str | None = None
) -> str:
    """Returns Pillow's name of the format that these arguments of `write_image` ask for.

    Raises:
        ValueError: An argument is out of its range.
    """
    if bits not in (8, 16):
        raise ValueError(f"`bits` must be 8 or 16, got {bits!r}.")
    quality = whole_number(quality, "`quality`", least=1, most=100)
    pillow_format = _format(destination, format)
    if bits == 16 and pillow_format != "PNG":
        raise ValueError(f"`bits=16` needs the format PNG, got {pillow_format}. Name the file '.png'.")
    return pillow_format


def _format(destination: object, format: str | None) -> str:
    if format is not None:
        names = {extension[1:]: name for extension, name in _FORMATS.items()}
        return _known(names, format.lower().removeprefix("."), "`format`")
    if isinstance(destination, (str, os.PathLike)):
        return format_of_extension(destination, "`destination`")
    return "PNG"


def format_of_extension(path: str | os.PathLike[str], label: str) -> str:
    """Returns Pillow's name of the format that the extension of a path asks for.

    Raises:
        ValueError: It is none of an image that can be written.
    """
    return _known(_FORMATS, Path(path).suffix.lower(), f"The extension of {label}")


def _known(names: dict[str, str], name: str, what: str) -> str:
    if name in names:
        return names[name]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{what} must be one of {', '.join(names)}, got {name!r}.{hint}")


def encoding_options(
    metadata: Metadata | None, pillow_format: str, height: int, width: int
) -> dict[str, Any]:
    """Returns what Pillow is to write beside the pixels.

    Raises:
        ValueError: The format cannot hold it.
    """
    if metadata is None:
        return {}
    options = encoder_options(metadata, pillow_format, width, height)
    longest = max(len(options.get("exif", b"")), len(options.get("xmp", b"")))
    if pillow_format == "JPEG" and longest > _LARGEST_SEGMENT:
        raise ValueError(
            f"`metadata` of a JPEG file must have at most {_LARGEST_SEGMENT} bytes of EXIF and of XMP, got "
            f"{longest}. Write a PNG file."
        )
    return options


def _png16(image: Tensor, options: Mapping[str, Any]) -> bytes:
    pixels = levels(image, 65535).permute(1, 2, 0).cpu().numpy().astype(np.uint16)
    if not options:
        return png16(pixels)
    # Pillow knows how metadata are written: those of an image of one pixel.
    stream = io.BytesIO()
    Image.new("L", (1, 1)).save(stream, "PNG", **options)
    return png16(pixels, like=stream.getvalue())


def _encoded(image: Tensor, pillow_format: str, quality: int, more: Mapping[str, Any]) -> bytes:
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": quality, "subsampling": "4:4:4"},
        "WEBP": {"quality": quality},
        "AVIF": {"quality": quality, "subsampling": "4:4:4"},
    }
    stream = io.BytesIO()
    pil_image(image).save(stream, pillow_format, **options.get(pillow_format, {}), **more)
    return stream.getvalue()
