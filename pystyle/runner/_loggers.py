import csv
import json
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

from pystyle._arguments import path_of
from pystyle.runner._step import Step

_LOG = logging.getLogger("pystyle")


class _Logger(ABC):
    def __init__(self, path: str | os.PathLike[str]) -> None:
        # The file is opened with the first step, when the program may be in another folder.
        self.path = os.fspath(path_of(path).absolute())
        self._stream: TextIOWrapper | None = None
        self._size = 0
        self.failure: OSError | None = None

    def __call__(self, step: Step) -> None:
        """Write one row and flush it.

        A row that cannot be written later than the first is left out, which the logger ``pystyle`` says: a
        disk that is full costs rows, but no run.

        Raises:
            OSError: If the first cannot be written, with the name of the file.
        """
        row = {"step": step.index, "seconds": round(step.seconds, 3), "total": float(step.terms.total)}
        row.update({name: float(term) for name, term in {**step.terms, **step.signals}.items()})
        try:
            if self._stream is None:
                self._stream = self._open()
            self._write(self._stream, row, self._size == 0)
            self._stream.flush()
            self._size = os.fstat(self._stream.fileno()).st_size
        except OSError as error:
            named = OSError(error.errno, error.strerror, os.fspath(self.path))
            if not self._size:
                raise named from error
            self._leave_out(named)

    def close(self) -> None:
        """Close the file; a run that comes after writes behind what is there."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()

    def state_dict(self) -> dict[str, Any]:
        """How much has been written, for a checkpoint."""
        return {"size": self._size}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on behind the rows of a checkpoint; what was written after them is removed."""
        self._size = state["size"]

    def _leave_out(self, error: OSError) -> None:
        if self.failure is None:
            _LOG.warning("Rows of the log '%s' could not be written: %s", self.path, error)
        self.failure = error
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()
        # Half of the row may be there. The next one is written to a file that is opened anew.
        with suppress(OSError):
            os.truncate(self.path, self._size)

    def _open(self) -> TextIOWrapper:
        there = os.path.getsize(self.path) if self._size and os.path.exists(self.path) else 0
        if there < self._size:
            _LOG.warning("The log '%s' lacks rows that were written before the checkpoint.", self.path)
            self._size = there
        if self._size:
            os.truncate(self.path, self._size)
            return open(self.path, "a", newline="", encoding="utf-8")
        return open(self.path, "w", newline="", encoding="utf-8")

    @abstractmethod
    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        """Write a row; the first may need a header."""


class CSVLogger(_Logger):
    """Writes the terms of each step to a CSV file.

    The columns are those of the first step. A term that is missing later is 0; one that is new is left out,
    which the logger ``pystyle`` says.

    Args:
        path: The file; it is replaced, unless the run goes on from a checkpoint. The rows of several runs
            with the same logger, such as the levels of a paper, follow each other.

    Example:
        >>> from pystyle.runner import CSVLogger
        >>> logger = CSVLogger("run.csv")   # optimize_image(..., callbacks=[logger])
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path)
        self._columns: list[str] = []
        self._left_out: set[str] = set()

    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        if first:
            self._columns, self._left_out = list(row), set()
        elif not self._columns:
            with open(self.path, newline="", encoding="utf-8") as written:
                self._columns = next(csv.reader(written))
        new = row.keys() - self._columns - self._left_out
        if new:
            text = "The log '%s' has no column for %s, which came after the first step."
            _LOG.warning(text, self.path, ", ".join(sorted(new)))
            self._left_out |= new
        writer = csv.DictWriter(stream, self._columns, restval=0.0, extrasaction="ignore")
        if first:
            writer.writeheader()
        writer.writerow(row)


class JSONLogger(_Logger):
    """Writes the terms of each step to a file of JSON lines.

    Args:
        path: The file; it is replaced, unless the run goes on from a checkpoint. The rows of several runs
            with the same logger, such as the levels of a paper, follow each other.

    Example:
        >>> from pystyle.runner import JSONLogger
        >>> logger = JSONLogger("run.jsonl")
    """

    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        del first
        stream.write(json.dumps(row) + "\n")
