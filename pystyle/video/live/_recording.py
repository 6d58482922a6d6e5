"""What is painted live, written to a file."""

import os
from contextlib import ExitStack
from fractions import Fraction
from typing import IO

from pystyle.video._encoding import Settings
from pystyle.video._frame import Frame
from pystyle.video._threads import WriteBehind
from pystyle.video._write import check_output, clip_writer, settled

_WAITING = 2
"""Pictures that wait to be written."""


class Recording:
    """Writes pictures in a thread, from the first on. A context: at its end the file is complete.

    What ends the context does not matter: what was painted live cannot be painted again.

    Args:
        output: Where it is written, as for :func:`~pystyle.video.write_clip`.
        settings: How pictures are encoded.

    Raises:
        OSError: If it cannot be written.
        ValueError: If it is a folder with something in it.
    """

    def __init__(self, output: str | os.PathLike[str] | IO[bytes], settings: Settings) -> None:
        check_output(output, settings, None)
        self._output, self._settings, self._stack = settled(output), settings, ExitStack()
        self._behind: WriteBehind[Frame] | None = None
        self._start, self._last = Fraction(0), -1

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def put(self, frame: Frame) -> None:
        """Have a picture written; its time becomes that from the first one on."""
        if self._behind is None:
            # Without a picture there is no file.
            writer = self._stack.enter_context(clip_writer(self._output, self._settings, None))
            self._behind = self._stack.enter_context(WriteBehind(writer.write, size=_WAITING))
            self._start = frame.time
        time = frame.time - self._start
        stamp = round(time / self._settings.time_base)
        # Pictures of one time are one for a file whose unit is coarse; a folder has no times.
        if stamp > self._last or self._settings.format == "folder":
            self._last = stamp
            self._behind.put(frame._replace(time=time))
