"""A thread that reads what does not wait, and keeps the newest only."""

import threading
from collections.abc import Generator
from contextlib import closing

from pystyle.video.live._live_clip import Grab

_LONGEST_FAREWELL = 1.0
"""Seconds that the end waits for a source that gives nothing."""


class Newest:
    """What came last of a source. A context: at its end nothing is read any more.

    Args:
        grabs: A generator, which is iterated over, and closed, in a thread.

    Attributes:
        dropped: How many have been replaced by a newer one before anyone took them.
    """

    def __init__(self, grabs: Generator[Grab, None, None]) -> None:
        self._grabs, self._changed = grabs, threading.Condition()
        self._newest: Grab | None = None
        self._stopped = self._finished = False
        self._error: BaseException | None = None
        self.dropped = 0
        # A source may be silent for ever, and must not keep the program from its end.
        self._thread = threading.Thread(target=self._run, name="pystyle reads a source", daemon=True)

    def __enter__(self) -> "Newest":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join(_LONGEST_FAREWELL)

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more, not even an error."""
        with self._changed:
            return self._finished and self._newest is None and self._error is None

    def take(self, patience: float) -> Grab | None:
        """What came last, if nobody has taken it; otherwise what comes next.

        Args:
            patience: Seconds after which nothing is given back, if nothing has come.

        Raises:
            Exception: What ended the source, after its last picture has been taken.
        """
        with self._changed:
            if self._newest is None and not self._finished:
                self._changed.wait(patience)
            newest, self._newest = self._newest, None
            if newest is None and self._error is not None:
                raise self._error
            return newest

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            with closing(self._grabs) as grabs:
                for grab in grabs:
                    self._keep(grab)
                    del grab
                    if self._stopped:
                        break
        except BaseException as raised:
            error = raised
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()

    def _keep(self, grab: Grab) -> None:
        with self._changed:
            self.dropped += self._newest is not None
            self._newest = grab
            self._changed.notify_all()
