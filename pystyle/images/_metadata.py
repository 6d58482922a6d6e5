"""What an image file says beside its pixels, and the same for a picture made of it."""

import math
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from PIL import ExifTags, Image, PngImagePlugin

from pystyle.images._read import _as_read_error, _checked_header, _name, _opened

_IFD_TAGS = {270, 271, 272, 305, 306, 315, 316, 18246, 18249, 33432, 40091, 40092, 40093, 40094, 40095}
"""Maker, model, software, date, artist, copyright, rating, title. The others are about the file."""

_COLOR_SPACE, _WIDTH, _HEIGHT, _INTEROPERABILITY = 0xA001, 0xA002, 0xA003, 0xA005
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 282, 283, 296, 2
_SRGB = 1
_XMP_TAG = 700

_XMP_VALUES = {
    "tiff:Orientation": "1",
    "exif:ColorSpace": "1",
    "tiff:ImageWidth": "{width}",
    "exif:PixelXDimension": "{width}",
    "tiff:ImageLength": "{height}",
    "exif:PixelYDimension": "{height}",
}
"""What XMP says about the pixels, and what it has to say of a picture."""

HOLDING_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF")


@dataclass(frozen=True)
class Metadata:
    """What an image file says beside its pixels.

    The orientation, the thumbnail and the colour profile are left out: they are true of the file alone.

    Attributes:
        exif: EXIF data, as Pillow has them; None if there are none.
        xmp: An XMP packet; None if there is none.
        dpi: The resolution in pixels per inch, along the rows and the columns; None if it is not known.

    Example:
        >>> Metadata(dpi=(300.0, 300.0)).exif is None
        True
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


def read_metadata(source: str | os.PathLike[str] | IO[bytes]) -> Metadata:
    """Returns the metadata of an image file, of which no pixel is decoded.

    What is damaged is left out.

    Args:
        source: Path, or a binary file object; see `read_image`.

    Raises:
        ImageReadError: The file is missing, or not an image.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> stream = io.BytesIO()
        >>> Image.new("RGB", (4, 2)).save(stream, "JPEG", dpi=(300, 300))
        >>> _ = stream.seek(0)
        >>> read_metadata(stream).dpi
        (300.0, 300.0)
    """
    name = _name(source)
    with _as_read_error(name), _opened(source, name) as file:
        image = _checked_header(file, name)
        exif = _readable_exif(image)
        described = _described(exif)
        xmp = image.info.get("xmp")
        return Metadata(
            exif=described.tobytes() if len(described) else None,
            xmp=xmp if isinstance(xmp, bytes) and xmp else None,
            dpi=_dpi(image.info.get("dpi")) or _dpi_of(exif),
        )


def encoder_options(metadata: Metadata, pillow_format: str, width: int, height: int) -> dict[str, Any]:
    """What Pillow is to write with a picture of this size.

    Raises:
        ValueError: If the format has no place for metadata.
    """
    if pillow_format not in HOLDING_FORMATS:
        raise ValueError(
            f"`metadata` can be held by {', '.join(HOLDING_FORMATS)} files, got {pillow_format}. Leave it "
            "out, or write one of those."
        )
    exif, xmp = _exif_of(metadata, width, height), _xmp_of(metadata, width, height)
    options: dict[str, Any] = {}
    if metadata.dpi is not None:
        options["dpi"] = metadata.dpi
    if pillow_format == "TIFF":
        # Of an object that was changed Pillow would write some of the values from before.
        tags = Image.Exif()
        tags.load(exif.tobytes())
        if xmp is not None:
            tags[_XMP_TAG] = xmp
        return options | ({"exif": tags} if len(tags) else {})
    if len(exif):
        options["exif"] = exif.tobytes()
    if xmp is not None and pillow_format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    elif xmp is not None:
        options["xmp"] = xmp
    return options


def _readable_exif(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except Exception:  # Damaged metadata raise errors of many kinds.
        return Image.Exif()


def _described(exif: Image.Exif) -> Image.Exif:
    """What is true of a picture made of the image as well."""
    kept = Image.Exif()
    for tag in _IFD_TAGS & set(exif):
        kept[tag] = exif[tag]
    for group in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        with suppress(Exception):
            values = {tag: value for tag, value in exif.get_ifd(group).items() if tag != _INTEROPERABILITY}
            if values:
                kept[group] = values
    with suppress(Exception):
        kept.tobytes()
        return kept
    return Image.Exif()


def _exif_of(metadata: Metadata, width: int, height: int) -> Image.Exif:
    exif = Image.Exif()
    if metadata.exif is not None:
        exif.load(metadata.exif)
        details = dict(exif.get_ifd(ExifTags.IFD.Exif))
        if details:
            details |= {_COLOR_SPACE: _SRGB, _WIDTH: width, _HEIGHT: height}
            exif[ExifTags.IFD.Exif] = details
    if metadata.dpi is not None:
        # For formats that have no other place for it.
        exif[_X_RESOLUTION], exif[_Y_RESOLUTION] = metadata.dpi
        exif[_RESOLUTION_UNIT] = _INCH
    return exif


def _xmp_of(metadata: Metadata, width: int, height: int) -> bytes | None:
    if metadata.xmp is None:
        return None
    xmp = re.sub(rb"<xmp:Thumbnails>.*?</xmp:Thumbnails>", b"", metadata.xmp, flags=re.DOTALL)
    for name, value in _XMP_VALUES.items():
        new = value.format(width=width, height=height).encode()
        tag = name.encode()
        xmp = re.sub(tag + rb"""(\s*=\s*["'])\d+""", tag + rb"\g<1>" + new, xmp)
        xmp = re.sub(b"<" + tag + rb">\s*\d+\s*<", b"<" + tag + b">" + new + b"<", xmp)
    return xmp


def _dpi(value: object) -> tuple[float, float] | None:
    try:
        across, down = (float(number) for number in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not (math.isfinite(across) and math.isfinite(down) and across > 0 and down > 0):
        return None
    return across, down


def _dpi_of(exif: Image.Exif) -> tuple[float, float] | None:
    factor = 2.54 if exif.get(_RESOLUTION_UNIT) == 3 else 1.0
    found = _dpi((exif.get(_X_RESOLUTION), exif.get(_Y_RESOLUTION)))
    return None if found is None else (found[0] * factor, found[1] * factor)
