"""The loop that paints the newest picture, again and again."""

from collections.abc import Callable, Sequence

from pystyle.video._frame import Frame
from pystyle.video.live._clock import Clock
from pystyle.video.live._newest import Newest
from pystyle.video.live._progress import LiveProgress, StopReason

_PATIENCE = 0.05
"""Seconds after which one who waits for a picture asks whether to end."""


class Loop:
    """Paints, shows and counts.

    Args:
        paint: Makes a picture of a frame.
        takers: Called with each picture, one after the other.
        progress: Called after each picture.
        clock: What tells the time.
    """

    def __init__(
        self,
        paint: Callable[[Frame], Frame],
        takers: Sequence[Callable[[Frame], object]],
        progress: Callable[[LiveProgress], None] | None,
        clock: Clock,
    ) -> None:
        self._paint, self._takers, self._progress, self._clock = paint, takers, progress, clock
        self._begin = clock.now()
        self._painted = 0
        self._waited = self._longest = 0.0

    def run(self, newest: Newest, stop: Callable[[], bool] | None, seconds: float | None) -> LiveProgress:
        """Go on until something ends it, and say how it went.

        Args:
            newest: The source, which is read.
            stop: Whether to end.
            seconds: After how many to end.
        """
        try:
            while (reason := self._reason(newest, stop, seconds)) is None:
                self._step(newest)
        except KeyboardInterrupt:
            reason = "interrupted"
        return self._so_far(newest, reason)

    def _step(self, newest: Newest) -> None:
        grab = newest.take(_PATIENCE)
        if grab is None:
            return
        picture = self._paint(grab.frame())
        for take in self._takers:
            take(picture)
        self._painted += 1
        latency = self._clock.now() - grab.moment
        self._waited, self._longest = self._waited + latency, max(self._longest, latency)
        if self._progress is not None:
            self._progress(self._so_far(newest, None))

    def _reason(
        self, newest: Newest, stop: Callable[[], bool] | None, seconds: float | None
    ) -> StopReason | None:
        if newest.ended:
            return "ended"
        over = seconds is not None and self._clock.now() - self._begin >= seconds
        return "stopped" if over or (stop is not None and stop()) else None

    def _so_far(self, newest: Newest, reason: StopReason | None) -> LiveProgress:
        return LiveProgress(
            self._painted,
            newest.dropped,
            self._clock.now() - self._begin,
            self._waited / self._painted if self._painted else 0.0,
            self._longest,
            reason,
        )
