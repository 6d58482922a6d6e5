"""When the state of a run is written, and what happens where it cannot be."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
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

    def take_folder(
        self, stack: ExitStack, *, resume: bool, check: Callable[[Mapping[str, Any], str], None]
    ) -> tuple[int, dict[str, Any]] | None:
        """Take the folder, and give the newest step in it with its state; None if there is none.

        Args:
            stack: Gives the folder back when it is closed.
            resume: Whether there may be a checkpoint.
            check: Called with the state, and with what names the checkpoint.

        Raises:
            ValueError: If there is a checkpoint and `resume` is false.
            CheckpointError: If all are damaged, or another run has the folder.
        """
        stack.enter_context(self.folder.locked())
        self.folder.clean()
        if self.folder.steps() and not resume:
            raise ValueError(
                f"`checkpoint` is the folder '{self.folder.path}', which has the checkpoints of a run. "
                "Go on with `resume=True`, or name another folder."
            )
        found = self.folder.newest()
        if found is not None:
            check(found[1], f"of step {found[0]} in '{self.folder.path}'")
        return found

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


def writer_to(checkpoint: str | os.PathLike[str] | Checkpoints | None, *, resume: bool) -> Writer | None:
    """What writes to this folder; None if no checkpoints are wanted.

    Raises:
        ValueError: If there is no folder to go on from.
    """
    if checkpoint is None:
        if resume:
            raise ValueError("`resume` needs a folder with checkpoints. Give `checkpoint` as well.")
        return None
    return Writer(checkpoint if isinstance(checkpoint, Checkpoints) else Checkpoints(checkpoint))
