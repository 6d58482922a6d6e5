"""Opening an image file by its first bytes.

`PIL.Image.open` is not used. It compares the size with the process-wide `Image.MAX_IMAGE_PIXELS` and reports
by a warning, which cannot be silenced for one thread alone. The classes below are the documented plugins
that it would choose; their constructors parse the header and decode nothing.
"""

import re
from typing import IO, Any

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    QoiImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

# Formats that run programs (EPS), draw (WMF) or hold scientific grids (FITS, HDF5) are left out on purpose.
# An MPO file is a JPEG file with more pictures after the first, which is the one that is read.
_SIGNATURES: dict[str, tuple[bytes, type[ImageFile.ImageFile]]] = {
    "PNG": (rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    "JPEG": (rb"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    "WEBP": (rb"RIFF....WEBP", WebPImagePlugin.WebPImageFile),
    "AVIF": (rb"....ftyp(?:avif|avis|mif1|msf1)", AvifImagePlugin.AvifImageFile),
    "TIFF": (rb"II[*+]\0|MM\0[*+]", TiffImagePlugin.TiffImageFile),
    "BMP": (rb"BM", BmpImagePlugin.BmpImageFile),
    "GIF": (rb"GIF8[79]a", GifImagePlugin.GifImageFile),
    "PPM": (rb"P(?:[1-6fy]|0CMYK)", PpmImagePlugin.PpmImageFile),
    "JPEG2000": (rb"\xffO\xffQ|\0\0\0\x0cjP  \r\n\x87\n", Jpeg2KImagePlugin.Jpeg2KImageFile),
    "QOI": (rb"qoif", QoiImagePlugin.QoiImageFile),
}

READABLE_FORMATS = tuple(_SIGNATURES)
SIGNATURE_BYTES = 32


def is_readable(start: bytes) -> bool:
    """Whether a file that begins so has one of the formats."""
    return any(re.match(signature, start, re.DOTALL) for signature, _ in _SIGNATURES.values())


def open_header(file: IO[bytes]) -> ImageFile.ImageFile | None:
    """Returns the image whose header has been read and whose pixels have not, or None for a foreign file.

    Raises:
        Exception: Whatever Pillow raises for a damaged header; it is of many kinds.
    """
    start = file.read(SIGNATURE_BYTES)
    file.seek(0)
    for name, (signature, reader) in _SIGNATURES.items():
        if re.match(signature, start, re.DOTALL):
            image = reader(file)
            if name == "PNG" and "transparency" in image.info:
                image.info["transparency"] = _eight_bit(image.info["transparency"], depth=start[24])
            return image
    return None


def _eight_bit(transparent: Any, depth: int) -> Any:
    # Pillow brings the pixels of a PNG to 8 bits, but leaves the transparent colour as it is in the file.
    if isinstance(transparent, tuple) and depth == 16:
        return tuple(value >> 8 for value in transparent)
    if isinstance(transparent, int) and depth in (2, 4):
        return transparent * 255 // (2**depth - 1)
    return transparent
