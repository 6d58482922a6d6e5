"""The painted parts of a clip in a folder, from which a run that was killed goes on."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from pystyle.checkpoints import CheckpointError, CheckpointFolder, decode, differences, encode, environment
from pystyle.images._atomic import replace_file
from pystyle.video._av import av_module

_LOG = logging.getLogger("pystyle")
_DESCRIPTION = "clip.json"


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


class SegmentFolder:
    """A folder with the segments of one clip. Each is complete or not there.

    Args:
        path: The folder; it is made if there is none.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()

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
