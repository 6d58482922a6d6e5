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


class _Collector(logging.Handler):
    def __init__(self, warnings: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._warnings = warnings

    def emit(self, record: logging.LogRecord) -> None:
        self._warnings.append(record.getMessage())


@contextmanager
def announcements(*, wanted: bool, warnings: list[str] | None = None) -> Iterator[None]:
    """Pass on what the library says about a run in this context, such as that it is evaluated in strips.

    Args:
        wanted: Whether it is written.
        warnings: Warnings are added here, written or not.
    """
    logger, level = logging.getLogger("pystyle"), logging.getLogger("pystyle").level
    handlers: list[logging.Handler] = [] if warnings is None else [_Collector(warnings)]
    if wanted:
        handlers.append(_Sayer())
        logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
        logger.setLevel(level)
