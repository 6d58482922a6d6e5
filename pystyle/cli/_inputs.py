"""Pictures from files and from standard input, read before anything is computed."""

import io
import sys
from collections.abc import Sequence
from typing import get_args

from torch import Tensor

from pystyle.cli._errors import CommandError, UsageError
from pystyle.images import ImageReadError, read_image, resize
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


def read_picture(source: str) -> Tensor:
    """The picture of a path, or of standard input for ``-``."""
    if source != STANDARD_STREAM:
        return read_image(source)
    content = sys.stdin.buffer.read()
    if not content:
        raise CommandError("Cannot read a picture from standard input: it is empty.")
    try:
        return read_image(io.BytesIO(content))
    except ImageReadError as error:
        raise CommandError(str(error).replace("the stream", "standard input", 1)) from error


def read_init(init: str, content: Tensor) -> str | Tensor:
    """The name of an init, or the picture of a path, stretched to the shape of the content."""
    if init in INITS:
        return init
    return resize(read_image(init), (content.shape[2], content.shape[3]))
