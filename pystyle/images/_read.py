"""Reading an image file as a tensor."""

import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import torch
from PIL import Image, ImageFile
from torch import Tensor

from pystyle._arguments import explained_allocations, path_of, whole_number
from pystyle.images._color import rgb_and_alpha
from pystyle.images._deep import deep_rgb_and_alpha
from pystyle.images._errors import ImageReadError, PixelRangeError
from pystyle.images._formats import READABLE_FORMATS, SIGNATURE_BYTES, is_readable, open_header
from pystyle.images._pil import Pixels, check_background, orientation_of
from pystyle.images._resize import Edge, resize

# Where Pillow begins to warn. The float tensor of such a picture takes one gibibyte.
DEFAULT_MAX_PIXELS = 89_478_485

# Words of Pillow about what it was not made for.
_UNSUPPORTED = re.compile(
    "unsupported|not (yet )?supported|unknown (pixel mode|data organization)|not available|not installed",
    re.I,
)


@explained_allocations("Reading an image")
def read_image(
    source: str | os.PathLike[str] | IO[bytes],
    *,
    edge_size: int | None = None,
    edge: Edge = "short",
    background: Sequence[float] = (1.0, 1.0, 1.0),
    max_pixels: int = DEFAULT_MAX_PIXELS,
    device: torch.device | str | None = None,
) -> Tensor:
    """Returns the image in a file, always as RGB in [0, 1] and the right way up.

    PNG, JPEG (MPO), WebP, AVIF, TIFF, BMP, GIF, PPM, JPEG 2000, QOI and, with the extra ``heif``, HEIF
    (HEIC) are read, told apart by their first bytes and not by their name. Of an animation or a file of
    several pages the first picture is read. The EXIF orientation is applied. The pixels become RGB by the
    rules of `from_pil`, which handles every mode: transparency, palettes, grey of 1, 8 and 16 bits, CMYK,
    colour profiles. Colours of 16 bits per channel are read as such from PNG, TIFF and PPM; of CMYK, of TIFF
    whose channels are compressed apart, of images with a profile of tables, and of AVIF, HEIF and JPEG 2000
    the upper 8 bits count.

    No process-wide setting is altered, so images may be read in several threads.

    Args:
        source: Path, in which ``~`` is the home folder, or a binary file object, which is read from its
            position to its end and left open.
        edge_size: Length in pixels that one edge gets, the other keeping the aspect ratio; None keeps the
            size.
        edge: Which edge has that length: "short", "long", "height" or "width". See `resize`.
        background: Colour, RGB in [0, 1], that shows where the image is transparent.
        max_pixels: Largest accepted product of width and height. It is compared with the header, before
            anything is decoded. The default is where Pillow begins to warn. For WebP, and for GIF whose first
            frame is larger than its screen, a larger value does not lift the limit of Pillow, which is twice
            `PIL.Image.MAX_IMAGE_PIXELS`, 179 million.
        device: Device of the result.

    Returns:
        A new float32 tensor.

    Raises:
        ImageReadError: The file is missing, damaged, too large, empty, or not one of the formats.
        TypeError: `source` is neither a path nor a binary file object.
        ValueError: An argument is out of its range.

    Shape:
        Output: ``(1, 3, height, width)``, RGB in [0, 1].

    Example:
        >>> import io
        >>> from PIL import Image
        >>> stream = io.BytesIO()
        >>> Image.new("RGB", (40, 20), (255, 0, 51)).save(stream, "PNG")
        >>> _ = stream.seek(0)
        >>> image = read_image(stream)
        >>> image.shape
        torch.Size([1, 3, 20, 40])
        >>> image[0, :, 0, 0]
        tensor([1.0000, 0.0000, 0.2000])

    Note:
        A flipped bit in a JPEG or WebP file gives other pixels and no error: these formats carry no checksum.
        Of damaged metadata (EXIF, the tags of TIFF) Pillow warns, and libtiff writes to standard error what
        it finds wrong; only settings of the whole process could keep them from it.
    """
    check_background(background)
    image = file_pixels(source, max_pixels).on(background)
    if edge_size is not None:
        image = resize(image, edge_size, edge=edge)
    return image.to(device)


def file_pixels(source: str | os.PathLike[str] | IO[bytes], max_pixels: int) -> Pixels:
    """Returns the pixels of a file.

    Args:
        source: A path or a binary file object.
        max_pixels: Largest accepted product of width and height.

    Raises:
        ImageReadError: The file cannot be read.
        TypeError: `source` is neither a path nor a binary file object.
        ValueError: `max_pixels` is no positive integer.
    """
    name = _name(source)
    max_pixels = whole_number(max_pixels, "`max_pixels`", least=1)
    with _as_read_error(name), _opened(source, name) as file:
        picture = _checked_header(file, name)
        _check_pixels(picture, name, max_pixels)
        colors, alpha = deep_rgb_and_alpha(picture, file) or rgb_and_alpha(picture)
        return Pixels(colors, alpha, orientation_of(picture))


def _name(source: object) -> str:
    if isinstance(source, (str, os.PathLike)) and isinstance(os.fspath(source), str):
        return f"the image '{os.fspath(source)}'"
    if hasattr(source, "read") and not isinstance(source, io.TextIOBase):
        return "the stream"
    raise TypeError(
        f"`source` must be a path or a binary file object, got {type(source).__name__}. "
        "Open a file with mode 'rb'; wrap bytes in io.BytesIO."
    )


@contextmanager
def _opened(source: str | os.PathLike[str] | IO[bytes], name: str) -> Iterator[io.BytesIO]:
    if not isinstance(source, (str, os.PathLike)):
        # A copy in memory can be rewound, which a pipe or a network stream cannot.
        yield io.BytesIO(source.read())
        return
    path = path_of(source)
    if path.is_dir():
        raise ImageReadError(f"Cannot read {name}: it is a folder. Name a file in it.")
    if not path.exists():
        raise ImageReadError(
            f"Cannot read {name}: there is no such file. Check the path and the current folder."
        )
    with path.open("rb") as file:
        start = file.read(SIGNATURE_BYTES)
        # In memory: there a damaged length makes nobody allocate more than the file has.
        yield io.BytesIO(start + file.read() if is_readable(start) else start)


def _checked_header(file: io.BytesIO, name: str) -> ImageFile.ImageFile:
    if file.seek(0, os.SEEK_END) == 0:
        fix = "Call `seek(0)` on it first" if name == "the stream" else "Copy or download it again"
        raise ImageReadError(f"Cannot read {name}: it is empty. {fix}.")
    file.seek(0)
    picture = open_header(file)
    if picture is None:
        raise ImageReadError(
            f"Cannot read {name}: its first bytes are not those of an image that can be read. "
            f"Convert it to one of {', '.join(READABLE_FORMATS)}."
        )
    return picture


def _check_pixels(picture: ImageFile.ImageFile, name: str, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise ImageReadError(
            f"Cannot read {name}: it has {width} x {height} = {width * height} pixels, more than "
            f"{max_pixels}. If you trust the file, pass `max_pixels={width * height}`."
        )


@contextmanager
def _as_read_error(name: str) -> Iterator[None]:
    try:
        yield
    except (ImageReadError, MemoryError):
        raise
    except (ImportError, PixelRangeError) as error:
        raise ImageReadError(f"Cannot read {name}: {error}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageReadError(
            f"Cannot read {name}: {error} This is a limit of Pillow for this format. Save it as PNG, JPEG or "
            "TIFF, or smaller."
        ) from error
    # Decoders raise errors of many kinds (OSError, SyntaxError, ValueError, struct.error, zlib.error, ...),
    # and warnings where the caller has made errors of them.
    except Exception as error:
        raise ImageReadError(f"Cannot read {name}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What went wrong, and what to do: a file may be damaged, unsupported, or not for this user."""
    text = str(error).strip().rstrip(".") or type(error).__name__
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.strerror or text}."
    if _UNSUPPORTED.search(text):
        return f"Pillow does not know this kind of it ({text}). Save it as PNG, or as 8-bit RGB."
    return f"{text}. If the file is cut off or damaged, copy or download it again."
