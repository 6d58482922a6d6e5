"""The record of a job: lines of JSON that are only ever added.

The lines are of two kinds: what was to be done (a configuration, which begins a job), and what became of an
image. Each is written at once and synchronised with the disk. What a full disk or a power cut left of a line
is no JSON and is ignored.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from pystyle._locks import lock_if_possible
from pystyle.jobs._entry import JobEntry


class Configuration(NamedTuple):
    """What a job is to do.

    Attributes:
        sha256: Its hash.
        description: In words and hashes.
    """

    sha256: str
    description: Mapping[str, str]


class Manifest:
    """The manifest in a file, as far as it was read.

    Args:
        path: The file; it need not be there yet.

    Attributes:
        configuration: The last one; None if there is none.
        entries: The last entry of each image, by the name of the image.
        offset: Up to which byte it was read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.configuration: Configuration | None = None
        self.entries: dict[str, JobEntry] = {}
        self.offset = 0
        self._places: dict[str, int] = {}

    def read(self) -> list[JobEntry]:
        """Read what was added; the entries among it."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            added = file.read()
        found = []
        # A line without its end is still being written, or never will be.
        for line in added[: added.rfind(b"\n") + 1].splitlines(keepends=True):
            entry = self._take(line)
            if entry is not None:
                self.entries[entry.input], self._places[entry.input] = entry, self.offset
                found.append(entry)
            self.offset += len(line)
        return found

    def added_since(self, offset: int, name: str) -> JobEntry | None:
        """The entry of an image, if it was added at this byte or later."""
        return self.entries[name] if self._places.get(name, -1) >= offset else None

    def add_configuration(self, configuration: Configuration, surroundings: Mapping[str, str]) -> None:
        """Add a line that begins a job."""
        self._append(
            {
                "configuration": configuration.sha256,
                "description": dict(configuration.description),
                "environment": dict(surroundings),
            }
        )

    def add(self, entry: JobEntry) -> None:
        """Add what became of an image."""
        self._append(asdict(entry))

    def _append(self, record: Mapping[str, Any]) -> None:
        data = json.dumps(record).encode() + b"\n"
        mode = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.path, mode, 0o666)
        try:
            lock_if_possible(descriptor, wait=True)
            size = os.fstat(descriptor).st_size
            if size and not _ends_a_line(descriptor, size):
                # Half a line is closed, so that it spoils none but itself.
                data = b"\n" + data
            if os.write(descriptor, data) != len(data):
                raise OSError(f"The manifest '{self.path}' could not be written: the disk is full.")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _take(self, line: bytes) -> JobEntry | None:
        try:
            record = json.loads(line)
            if "description" in record:
                self.configuration = Configuration(record["configuration"], record["description"])
                return None
            return JobEntry(**record)
        except (ValueError, TypeError, KeyError):
            return None


def _ends_a_line(descriptor: int, size: int) -> bool:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"
