import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pystyle._arguments import path_of
from pystyle.checkpoints._encoding import decode, encode
from pystyle.checkpoints._error import CheckpointError
from pystyle.checkpoints._lock import locked
from pystyle.images._atomic import replace_file

_LOG = logging.getLogger("pystyle")
_NAME = re.compile(r"checkpoint-(\d{8,})\.safetensors")
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
_KEPT = 2


class CheckpointFolder:
    """A folder with the last two states of one run.

    Args:
        path: The folder; it is made with the first state.

    Example:
        >>> import tempfile
        >>> folder = CheckpointFolder(tempfile.mkdtemp())
        >>> folder.write(5, {"note": "five steps"})
        >>> folder.newest()
        (5, {'note': 'five steps'})
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path_of(path).absolute()

    def steps(self) -> list[int]:
        """The steps of which there is a file, the newest last."""
        names = os.listdir(self.path) if self.path.is_dir() else []
        return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A context in which no other run has the folder, which is made if there is none.

        The lock ends with its process, also one that is killed. Where a file system has no locks, the logger
        ``pystyle`` says so.

        Raises:
            CheckpointError: If another run has it, with the process.
            OSError: If it cannot be made.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path):
            yield

    def write(self, step: int, state: Mapping[str, Any]) -> None:
        """Write the state after a step, and remove all but the last two up to it.

        Raises:
            OSError: If it cannot be written; what was there is left as it was.
            TypeError: If the state holds something that a checkpoint cannot hold.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        replace_file(self._file(step), encode(state), kind="checkpoint")
        before = [other for other in self.steps() if other <= step]
        for other in self.steps():
            # Those after it are of a run that went on from here before, or damaged. One that cannot be
            # removed takes room, and nothing else.
            if other not in before[-_KEPT:]:
                with suppress(OSError):
                    self._file(other).unlink()

    def newest(self) -> tuple[int, dict[str, Any]] | None:
        """The newest step and its state; None if there is no checkpoint.

        A damaged one is left out, which the logger ``pystyle`` says.

        Raises:
            CheckpointError: If all are damaged.
        """
        not_permitted = None
        for step, found in self._newest_first():
            if isinstance(found, dict):
                return step, found
            if isinstance(found, OSError):
                not_permitted = found
                _LOG.warning(
                    "The checkpoint '%s' cannot be read and is left out: %s", self._file(step), found
                )
            else:
                _LOG.warning("The checkpoint '%s' is damaged and left out. %s", self._file(step), found)
        if not_permitted is not None:
            raise CheckpointError(
                f"None of the checkpoints in '{self.path}' can be read: {not_permitted.strerror}. Change "
                "their permissions, or name another folder."
            )
        if self.steps():
            raise CheckpointError(
                f"None of the checkpoints in '{self.path}' can be read. Remove them to start anew."
            )
        return None

    def arguments(self) -> dict[str, str]:
        """What the run was asked to do, as :func:`describe` says it; empty if that cannot be read."""
        for _, found in self._newest_first():
            if isinstance(found, dict):
                arguments = found.get("arguments")
                return arguments if isinstance(arguments, dict) else {}
        return {}

    def clean(self) -> None:
        """Remove what writers that were killed have left behind."""
        for name in os.listdir(self.path) if self.path.is_dir() else []:
            if _TEMPORARY.fullmatch(name):
                (self.path / name).unlink(missing_ok=True)

    def _newest_first(self) -> Iterator[tuple[int, dict[str, Any] | Exception]]:
        """Each step with its state, or with why that cannot be read."""
        for step in reversed(self.steps()):
            try:
                yield step, self._read(step)
            except (CheckpointError, OSError) as error:
                yield step, error

    def _read(self, step: int) -> dict[str, Any]:
        path = self._file(step)
        data = bytearray(path.stat().st_size)
        with path.open("rb") as file:
            if file.readinto(data) != len(data):
                raise CheckpointError("It changed while it was read.")
        return decode(data)

    def _file(self, step: int) -> Path:
        return self.path / f"checkpoint-{step:08d}.safetensors"
