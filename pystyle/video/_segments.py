"""The painted parts of a clip in a folder, from which a run that was killed goes on."""

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from pystyle._arguments import path_of
from pystyle.checkpoints import CheckpointError, CheckpointFolder, decode, differences, encode, environment
from pystyle.images._atomic import replace_file
from pystyle.video._av import av_module

_LOG = logging.getLogger("pystyle")
_DESCRIPTION = "clip.json"
_FILES = re.compile(r"(segment|state)-\d{6,}\.safetensors")


class Cut:
    """Where a clip is cut: a segment ends with the first frame that comes so long after its beginning.

    Args:
        seconds: How long segments are, at least.
    """

    def __init__(self, seconds: Fraction) -> None:
        self._seconds = seconds
        self._start: Fraction | None = None

    def before(self, time: Fraction) -> bool:
        """Whether the frame at this time begins a segment; to be asked for each, in their order."""
        begins = self._start is None or time >= self._start + self._seconds
        if begins:
            self._start = time
        return begins


class Done(NamedTuple):
    """What an earlier run has done.

    Attributes:
        segments: How many segments can be kept.
        frames: How many frames are in them.
        state: What the painter remembered after them; None if that is nothing.
        is_whole: Whether they are the whole clip.
    """

    segments: int
    frames: int
    state: dict[str, Any] | None
    is_whole: bool


class SegmentFolder:
    """A folder with the segments of one clip. Each is complete or not there.

    Args:
        path: The folder; it is made if there is none.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path_of(path).absolute()

    @contextmanager
    def taken(self, description: Mapping[str, str], *, resume: bool) -> Iterator[None]:
        """A context in which this run alone has the folder.

        Args:
            description: What the run was asked to do.
            resume: Whether there may be segments.

        Raises:
            ValueError: If there are some and `resume` is false.
            CheckpointError: If they are of another run, or another run has the folder.
            OSError: If it cannot be written.
        """
        folder = CheckpointFolder(self.path)
        with folder.locked():
            folder.clean()
            file = self.path / _DESCRIPTION
            surroundings = {**environment(), "av": av_module().__version__}
            if file.exists():
                if not resume:
                    raise ValueError(
                        f"`checkpoint` is the folder '{self.path}', which has the segments of a clip. "
                        "Go on with `resume=True`, or name another folder."
                    )
                self._check(file, description, surroundings)
            else:
                text = json.dumps({"description": dict(description), "environment": surroundings}, indent=1)
                replace_file(file, text.encode(), kind="checkpoint")
            yield

    def write(self, index: int, state: Mapping[str, Any]) -> None:
        """Write a segment.

        Raises:
            OSError: If it cannot be written.
        """
        replace_file(self._file(index), encode(state), kind="segment")

    def read(self) -> Iterator[dict[str, Any]]:
        """The segments from the first on, up to one that is missing or damaged."""
        index = 0
        while self._file(index).exists():
            try:
                yield decode(self._file(index).read_bytes())
            except CheckpointError as error:
                _LOG.warning(
                    "The segment '%s' is damaged and will be painted again. %s", self._file(index), error
                )
                return
            index += 1

    def write_state(self, index: int, data: bytes) -> None:
        """Write what the painter remembers after a segment, and forget it of all but the one before.

        Raises:
            OSError: If it cannot be written.
        """
        replace_file(self._state_file(index), [data], kind="checkpoint")
        # A state may be larger than its segment, and there may be a segment for each frame.
        self._state_file(index - 2).unlink(missing_ok=True)

    def done(self) -> Done:
        """What can be kept: the segments up to the last after which the painter's memory is known."""
        done, frames = Done(0, 0, None, is_whole=False), 0
        for index, segment in enumerate(self.read()):
            frames += int(segment["count"])
            is_whole = bool(segment["last"])
            state = self._read_state(index) if segment["remembers"] and not is_whole else None
            if is_whole or state is not None or not segment["remembers"]:
                done = Done(index + 1, frames, state, is_whole)
        return done

    def remove(self) -> None:
        """Remove all that is of the run, and the folder if nothing else is in it.

        Raises:
            CheckpointError: If another run has the folder.
            OSError: If a file cannot be removed.
        """
        folder = CheckpointFolder(self.path)
        with folder.locked():
            folder.clean()
            # First what says whose the segments are: without it they are no segments.
            for file in [self.path / _DESCRIPTION, *self.path.glob("s*.safetensors")]:
                if file.name == _DESCRIPTION or _FILES.fullmatch(file.name):
                    file.unlink(missing_ok=True)
        (self.path / ".lock").unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    def _read_state(self, index: int) -> dict[str, Any] | None:
        try:
            return decode(self._state_file(index).read_bytes())
        except FileNotFoundError:
            return None
        except CheckpointError as error:
            _LOG.warning("The state '%s' is damaged and is not used. %s", self._state_file(index), error)
            return None

    def _check(self, file: Path, description: Mapping[str, str], surroundings: Mapping[str, str]) -> None:
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
            changed = differences(before["description"], description)
            around = differences(before["environment"], surroundings)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"'{file}' is damaged. Remove its folder to start anew.") from error
        if changed:
            raise CheckpointError(
                f"The segments in '{self.path}' are of another run: {'; '.join(changed)}. "
                "Go on as it was begun, or name another folder."
            )
        if around:
            _LOG.warning(
                "The segments in '%s' were painted in other surroundings, so that the rest may differ in the "
                "last bits: %s.",
                self.path,
                "; ".join(around),
            )

    def _file(self, index: int) -> Path:
        return self.path / f"segment-{index:06d}.safetensors"

    def _state_file(self, index: int) -> Path:
        return self.path / f"state-{index:06d}.safetensors"
