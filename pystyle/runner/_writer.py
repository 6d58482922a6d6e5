"""When the state of a run is written, and what happens where it cannot be."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from pystyle.checkpoints import CheckpointFolder, Checkpoints

_LOG = logging.getLogger("pystyle")


class Writer:
    """Keeps the last accepted state of a run, and writes it when it is due and at the end.

    Args:
        checkpoints: Where, and how often.

    Attributes:
        folder: The folder.
        written: The step of the checkpoint that was written last; None if there is none yet.
    """

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.folder = CheckpointFolder(checkpoints.folder)
        self.written: int | None = None
        self._due = checkpoints.due
        self._latest: tuple[int, Mapping[str, Any]] | None = None
        self._time = time.perf_counter()

    def keep(self, step: int, snapshot: Mapping[str, Any]) -> None:
        """Keep the state after a step, and write it if it is due.

        Raises:
            OSError: If the first of a run cannot be written.
        """
        self._latest = step, snapshot
        if self.written is None:
            # Whether a checkpoint can be written at all is better known now than after an hour.
            self._write(step, snapshot, give_up=True)
            return
        passed = time.perf_counter() - self._time
        if self._due(steps=step - self.written, seconds=passed) and step != self.written:
            self._write(step, snapshot)

    def write_last(self, *, retry: bool) -> None:
        """Write the last state that was kept, if it is not written yet.

        Args:
            retry: Whether to begin again once if a signal comes, which is the first of the run then. A second
                one leaves at once.
        """
        if self._latest is None or self.written in (None, self._latest[0]):
            return
        try:
            self._write(*self._latest)
        except (KeyboardInterrupt, SystemExit):
            if retry:
                self._write(*self._latest)
            raise
        finally:
            self._latest = None

    def _write(self, step: int, snapshot: Mapping[str, Any], *, give_up: bool = False) -> None:
        try:
            self.folder.write(step, snapshot)
            self.written = step
        except OSError as error:
            if give_up:
                raise
            _LOG.warning("The checkpoint of step %d could not be written: %s", step, error)
        self._time = time.perf_counter()
