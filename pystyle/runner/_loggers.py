import csv
import json
import os
from abc import ABC, abstractmethod
from io import TextIOWrapper

from pystyle.runner._step import Step


class _Logger(ABC):
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self._stream: TextIOWrapper | None = None

    def __call__(self, step: Step) -> None:
        """Write one row and flush it."""
        first = self._stream is None
        if self._stream is None:
            self._stream = open(self.path, "w", newline="", encoding="utf-8")  # noqa: SIM115
        row = {"step": step.index, "seconds": round(step.seconds, 3), "total": float(step.terms.total)}
        row.update({name: float(term) for name, term in step.terms.items()})
        self._write(self._stream, row, first)
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @abstractmethod
    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        """Write a row; the first may need a header."""


class CSVLogger(_Logger):
    """Writes the terms of each step to a CSV file.

    Args:
        path: The file; it is replaced.

    Example:
        >>> from pystyle.runner import CSVLogger
        >>> logger = CSVLogger("run.csv")   # optimize_image(..., callbacks=[logger])
    """

    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        writer = csv.DictWriter(stream, row)
        if first:
            writer.writeheader()
        writer.writerow(row)


class JSONLogger(_Logger):
    """Writes the terms of each step to a file of JSON lines.

    Args:
        path: The file; it is replaced.

    Example:
        >>> from pystyle.runner import JSONLogger
        >>> logger = JSONLogger("run.jsonl")
    """

    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        del first
        stream.write(json.dumps(row) + "\n")
