"""Pictures from files and from standard input, read before anything is computed."""

import argparse
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, get_args

from PIL import Image
from torch import Tensor

from pystyle.cli._announce import say
from pystyle.cli._encoders import is_weights_name
from pystyle.cli._errors import CommandError, UsageError
from pystyle.cli._values import rgb_of
from pystyle.images import ImageReadError, Metadata, read_image, read_metadata, resize, split_alpha
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
        alpha: How opaque it is; None if it is so everywhere, or is to be.
        metadata: What its file says beside the pixels; None if that is not wanted.
    """

    image: Tensor
    alpha: Tensor | None
    metadata: Metadata | None


def read_picture(source: str, *, max_pixels: int, background: str | None) -> Tensor:
    """The picture of a path, or of standard input for ``-``, on a ground, white if there is no other."""
    options = argparse.Namespace(max_pixels=max_pixels, background=background or "white", keep_metadata=False)
    return read_photograph(source, options, alpha=False).image


def read_photograph(source: str, options: argparse.Namespace, *, alpha: bool) -> Photograph:
    """The picture of a path, or of standard input for ``-``, with its metadata.

    Args:
        source: The path.
        options: Those of the command.
        alpha: Whether the result can be transparent.
    """
    if source != STANDARD_STREAM:
        return _photograph(lambda: source, options, alpha=alpha)
    content = sys.stdin.buffer.read()
    if not content:
        raise CommandError("Cannot read a picture from standard input: it is empty.")
    try:
        return _photograph(lambda: io.BytesIO(content), options, alpha=alpha)
    except ImageReadError as error:
        raise CommandError(str(error).replace("the stream", "standard input", 1)) from error


def _photograph(
    source: Callable[[], str | io.BytesIO], options: argparse.Namespace, *, alpha: bool
) -> Photograph:
    metadata = read_metadata(source()) if options.keep_metadata else None
    if options.background is not None:
        image = read_image(source(), background=rgb_of(options.background), max_pixels=options.max_pixels)
        return Photograph(image, None, metadata)
    image, opacity = split_alpha(source(), max_pixels=options.max_pixels)
    if opacity is not None and not alpha:
        if not (options.quiet or options.json):
            say(
                f"'{options.output}' cannot be transparent: what is so in the photograph becomes white. "
                "`--background` names another colour; a name in .png keeps it transparent."
            )
        return Photograph(read_image(source(), max_pixels=options.max_pixels), None, metadata)
    return Photograph(image, opacity, metadata)


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
    weights = given.get("weights")
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
