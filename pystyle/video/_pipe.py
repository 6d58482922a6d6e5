"""File objects that are read from their beginning to their end, as pipes are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_BLOCK = 1 << 20


class Pipe:
    """A file object that FFmpeg reads. It has no `seek`, by which FFmpeg would know that it can go back.

    Args:
        file: What has `read`.
        closes: Whether it is closed by :meth:`close`.
    """

    def __init__(self, file: IO[bytes], *, closes: bool = False) -> None:
        self._whole, self._file, self._closes = file, file, closes
        self._start = b""
        self._interruption: KeyboardInterrupt | None = None
        read_buffered, raw = getattr(file, "read1", None), getattr(file, "raw", None)
        if read_buffered is not None and raw is not None and not file.seekable():
            # Who waits for a buffered file has its lock, without which a process cannot end.
            self._start, self._file = read_buffered(), raw

    def beginning(self, size: int) -> bytes:
        """The first bytes, or fewer if there are no more; they are read again afterwards."""
        while len(self._start) < size and (more := self._file.read(size - len(self._start))):
            self._start += more
        return self._start[:size]

    def rest(self) -> bytes:
        """All that was not read yet."""
        start, self._start = self._start, b""
        return b"".join([start, *iter(lambda: self._file.read(_BLOCK), b"")])

    def read(self, size: int) -> bytes:
        """The next bytes, and none at the end or after Ctrl-C."""
        if self._interruption is not None:
            return b""
        if self._start:
            start, self._start = self._start[:size], self._start[size:]
            return start
        try:
            return self._file.read(size)
        except KeyboardInterrupt as interruption:
            # Errors of this kind are lost in FFmpeg, which calls this.
            self._interruption = interruption
            return b""

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A context that Ctrl-C ends although FFmpeg reads in it."""
        try:
            yield
        finally:
            if self._interruption is not None:
                raise self._interruption from None

    def close(self) -> None:
        """Close the file if that is asked for."""
        if self._closes:
            self._whole.close()
