"""A file that plays as a device."""

import os
from collections.abc import Iterator
from typing import IO

from pystyle.video._clip import Clip
from pystyle.video._frame import Frame
from pystyle.video._read import as_clip
from pystyle.video.live._clock import Clock


def play_clip(clip: Clip | str | os.PathLike[str] | IO[bytes], *, clock: Clock | None = None) -> Clip:
    """Returns a clip whose frames come at their times, as those of a camera do: for tests and demonstrations.

    Args:
        clip: A clip, or what :func:`~pystyle.video.read_clip` takes.
        clock: What tells the time; that of this machine if not given.

    Returns:
        The clip. Iterating over it waits for each frame until it is its time, and at the end until the last
        one has been shown. A frame that nobody has taken in time comes late.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        ImageReadError: The clip cannot be read.
        TypeError: `clip` is none of these.

    Example:
        >>> import tempfile, time, torch
        >>> from pystyle.video import write_clip
        >>> path = tempfile.mkdtemp() + "/clip.png"
        >>> write_clip(path, [torch.zeros(1, 3, 8, 12)] * 3, rate=50)
        >>> start = time.monotonic()
        >>> [str(frame.time) for frame in play_clip(path)]
        ['0', '1/50', '1/25']
        >>> time.monotonic() - start > 0.059
        True
    """
    return PlayedClip(as_clip(clip), clock)


class PlayedClip(Clip):
    """A clip in its own time.

    Args:
        clip: The clip.
        clock: What tells the time.
    """

    def __init__(self, clip: Clip, clock: Clock | None) -> None:
        self._clip, self._clock = clip, Clock() if clock is None else clock
        self._be_like(clip)
        # A device has pictures alone.
        self.has_sound = False

    def frames(self, first: int = 0) -> Iterator[Frame]:
        start: float | None = None
        end = 0.0
        for frame in self._clip.frames(first):
            if start is None:
                start = self._clock.now() - float(frame.time)
            self._clock.wait_until(start + float(frame.time))
            end = start + float(frame.time + (frame.duration or 1 / self.rate))
            yield frame
        if start is not None:
            self._clock.wait_until(end)

    def digest(self) -> str:
        return self._clip.digest()
