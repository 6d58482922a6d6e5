"""The line that tells how a live run goes, while it goes."""

import sys
from contextlib import suppress

from pystyle.video.live import LiveProgress

_INTERVAL = 0.5
"""Seconds between two changes of the line."""


class Status:
    """A line on a terminal that is written again and again. A context: at its end the line is gone.

    Args:
        wanted: Whether there is one, if standard error is a terminal.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._wanted, self._written = wanted and sys.stderr.isatty(), -_INTERVAL
        self._length = 0

    def __enter__(self) -> "Status":
        return self

    def __exit__(self, *_: object) -> None:
        if self._length:
            self._write(" " * self._length + "\r")

    def show(self, progress: LiveProgress) -> None:
        """Write the line, if the one before has been there for a while."""
        if not self._wanted or progress.seconds - self._written < _INTERVAL:
            return
        self._written = progress.seconds
        text = (
            f"{progress.frames_per_second:.1f} pictures a second, {progress.latency * 1000:.0f} ms late, "
            f"{progress.dropped} frames dropped"
        )
        self._write(text.ljust(self._length) + "\r")
        self._length = max(self._length, len(text))

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
