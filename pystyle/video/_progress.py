import time
from dataclasses import dataclass

from pystyle.video._clip import Clip
from pystyle.video._frame import Frame


@dataclass(frozen=True)
class Progress:
    """How far the painting of a clip has come.

    Attributes:
        frames: How many frames are done, those that an earlier run has painted as well.
        painted: How many of them this run has painted.
        total: How many there are; None where the clip does not say.
        seconds: How long this run has taken.
        seconds_left: How much longer it will take at this speed; None where nobody knows.

    Example:
        >>> progress = Progress(frames=50, painted=40, total=90, seconds=4.0, seconds_left=4.0)
        >>> progress.frames_per_second
        10.0
    """

    frames: int
    painted: int
    total: int | None
    seconds: float
    seconds_left: float | None

    @property
    def frames_per_second(self) -> float:
        """How many this run paints in a second."""
        return self.painted / self.seconds if self.seconds > 0 else 0.0


class Clock:
    """What measures the progress of a run.

    Args:
        clip: What is painted.
        done: How many frames an earlier run has painted.
    """

    def __init__(self, clip: Clip, done: int = 0) -> None:
        self._clip, self._done, self._begin = clip, done, time.perf_counter()

    def after(self, painted: int, last: Frame | None) -> Progress:
        """The progress after so many frames of this run, of which this is the last."""
        seconds, frames = time.perf_counter() - self._begin, self._done + painted
        share = None
        if self._clip.num_frames:
            share = frames / self._clip.num_frames
        elif self._clip.duration and last is not None:
            share = float((last.time + (last.duration or 1 / self._clip.rate)) / self._clip.duration)
        left = None
        if share and painted:
            # The frames that an earlier run has painted took no time of this one.
            all_frames = frames / min(share, 1.0)
            left = max(all_frames - frames, 0.0) * seconds / painted
        return Progress(frames, painted, self._clip.num_frames, seconds, left)
