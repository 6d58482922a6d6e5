"""Pictures from files and from standard input, read before anything is computed."""

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, get_args

from PIL import Image
from torch import Tensor

from pystyle.cli._encoders import is_weights_name
from pystyle.cli._errors import CommandError, UsageError
from pystyle.images import ImageReadError, Metadata, read_image, read_metadata, resize
from pystyle.typing import NamedInit

STANDARD_STREAM = "-"
INITS: Sequence[str] = get_args(NamedInit)


def check_streams(sources: Sequence[str]) -> None:
    """Refuse standard input where it is asked for twice, or is a keyboard."""
    count = sources.count(STANDARD_STREAM)
    if count > 1:
        raise UsageError(f"Only one picture can come from standard input, got '-' {count} times.")
    if count and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError(
            "'-' reads a picture from standard input, which is a terminal. Redirect a file to it."
        )


class Photograph(NamedTuple):
    """What is read of the content.

    Attributes:
        image: The picture.
        metadata: What its file says beside the pixels; None if that is not wanted.
    """

    image: Tensor
    metadata: Metadata | None


def read_picture(source: str, *, max_pixels: int) -> Tensor:
    """The picture of a path, or of standard input for ``-``."""
    return read_photograph(source, max_pixels=max_pixels, keep_metadata=False).image


def read_photograph(source: str, *, max_pixels: int, keep_metadata: bool) -> Photograph:
    """The picture of a path, or of standard input for ``-``, with its metadata."""
    if source != STANDARD_STREAM:
        image = read_image(source, max_pixels=max_pixels)
        return Photograph(image, read_metadata(source) if keep_metadata else None)
    content = sys.stdin.buffer.read()
    if not content:
        raise CommandError("Cannot read a picture from standard input: it is empty.")
    try:
        image = read_image(io.BytesIO(content), max_pixels=max_pixels)
        return Photograph(image, read_metadata(io.BytesIO(content)) if keep_metadata else None)
    except ImageReadError as error:
        raise CommandError(str(error).replace("the stream", "standard input", 1)) from error


def read_init(init: str, content: Tensor, *, max_pixels: int) -> str | Tensor:
    """The name of an init, or the picture of a path, stretched to the shape of the content."""
    if init in INITS:
        return init
    return resize(read_image(init, max_pixels=max_pixels), (content.shape[2], content.shape[3]))


def files_of(options: argparse.Namespace) -> list[str]:
    """The files that a run reads."""
    given = vars(options)
    known = (None, STANDARD_STREAM, *INITS)
    several = [file for name in ("styles", "mask", "style_mask") for file in given.get(name) or ()]
    weights = given["weights"]
    named = None if weights is None or is_weights_name(weights) else weights
    files = [*several, *map(given.get, ("content", "init", "config")), named]
    return [str(file) for file in files if file not in known]


@contextmanager
def pillow_limit(max_pixels: int) -> Iterator[None]:
    """A context in which Pillow, which has a limit of its own for some formats, accepts as many pixels."""
    before = Image.MAX_IMAGE_PIXELS
    if before is not None:
        Image.MAX_IMAGE_PIXELS = max(before, max_pixels)
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
