"""Opening an image file by its first bytes.

`PIL.Image.open` is not used. It compares the size with the process-wide `Image.MAX_IMAGE_PIXELS` and reports
by a warning, which cannot be silenced for one thread alone. The classes below are the documented plugins
that it would choose; their constructors parse the header and decode nothing.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    QoiImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from pystyle.images._cicp import coding_of
from pystyle.images._spaces import CICP

EXTENSIONS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".avif", ".heic", ".heif", ".hif"),
    *(".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".qoi"),
)

# The general brands, mif1 and msf1, are followed by those of what is in the file.
_AVIF = rb"....ftyp(?:avif|avis|(?:mif1|msf1)....(?:....)*?(?:avif|avis))"
_HEIF = rb"....ftyp(?:heic|heix|heim|heis|hevc|hevx|hevm|hevs|mif1|msf1)"


class _TiffImageFile(TiffImagePlugin.TiffImageFile):
    """A TIFF of any size: the limit is that of `read_image`, and not one of the process."""

    def load_prepare(self) -> None:
        # The memory that Pillow would take after a look at its own limit.
        if self._im is None:
            self.im = Image.new(self.mode, self._tile_size).im
        super().load_prepare()


def _heif(file: IO[bytes]) -> ImageFile.ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ImportError(
            'Reading HEIC and HEIF needs pillow-heif. Run: pip install "pystyle-nst[heif]"'
        ) from error
    picture: ImageFile.ImageFile = HeifImageFile(file)  # type: ignore[no-untyped-call]
    return picture


# Formats that run programs (EPS), draw (WMF) or hold scientific grids (FITS, HDF5) are left out on purpose.
# An MPO file is a JPEG file with more pictures after the first, which is the one that is read.
_SIGNATURES: dict[str, tuple[bytes, Callable[[IO[bytes]], ImageFile.ImageFile]]] = {
    "PNG": (rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    "JPEG": (rb"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    "WEBP": (rb"RIFF....WEBP", WebPImagePlugin.WebPImageFile),
    "AVIF": (_AVIF, AvifImagePlugin.AvifImageFile),
    "HEIF": (_HEIF, _heif),
    "TIFF": (rb"II[*+]\0|MM\0[*+]", _TiffImageFile),
    "BMP": (rb"BM.{12}[\x0c(48@l|]\0\0\0", BmpImagePlugin.BmpImageFile),
    "GIF": (rb"GIF8[79]a", GifImagePlugin.GifImageFile),
    "PPM": (rb"P(?:[1-6f]|0CMYK|yP|yRGBA|yCMYK)\s", PpmImagePlugin.PpmImageFile),
    "JPEG2000": (rb"\xffO\xffQ|\0\0\0\x0cjP  \r\n\x87\n", Jpeg2KImagePlugin.Jpeg2KImageFile),
    "QOI": (rb"qoif", QoiImagePlugin.QoiImageFile),
}

READABLE_FORMATS = tuple(_SIGNATURES)
SIGNATURE_BYTES = 64


def is_readable(start: bytes) -> bool:
    """Whether a file that begins so has one of the formats."""
    return any(re.match(signature, start, re.DOTALL) for signature, _ in _SIGNATURES.values())


def is_image_file(path: Path) -> bool:
    """Whether a file has the name of an image, or the first bytes of one that can be read."""
    if path.suffix.lower() in EXTENSIONS:
        return True
    try:
        with path.open("rb") as file:
            return is_readable(file.read(SIGNATURE_BYTES))
    except OSError:
        return False


def open_header(file: IO[bytes]) -> ImageFile.ImageFile | None:
    """Returns the image whose header has been read and whose pixels have not, or None for a foreign file.

    Raises:
        ImportError: If the format needs an extra that is not installed.
        Exception: Whatever Pillow raises for a damaged header; it is of many kinds.
    """
    start = file.read(SIGNATURE_BYTES)
    file.seek(0)
    for name, (signature, reader) in _SIGNATURES.items():
        if re.match(signature, start, re.DOTALL):
            image = reader(file)
            place = file.tell()
            coding = coding_of(name, file, image.info)
            file.seek(place)
            if coding is not None:
                image.info[CICP] = coding
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
