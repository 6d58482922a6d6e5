"""What is said on stderr."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pystyle.cli._errors import one_line


def say(text: str) -> None:
    """Write a line."""
    print(f"pystyle: {one_line(text)}", file=sys.stderr, flush=True)


class _Sayer(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


@contextmanager
def announcements(*, wanted: bool) -> Iterator[None]:
    """Pass on what the library says about a run in this context, such as that it is evaluated in strips."""
    logger, handler = logging.getLogger("pystyle"), _Sayer()
    level = logger.level
    if wanted:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
