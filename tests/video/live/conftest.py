"""A clock that a test moves, and a source that goes by it."""

import threading
from fractions import Fraction

import pytest
import torch

from pystyle.video import Clip, Frame, FramePainter
from pystyle.video.live import Clock, play_clip

PATIENCE = 10


class MovedClock(Clock):
    """A clock that stands still until the test moves it. Only one thread may wait for it.

    The test and the thread take turns: the clock goes to each moment that the thread waits for, and goes on
    when the thread waits again, or has nothing more to do.
    """

    def __init__(self):
        self._now, self._changed = 0.0, threading.Condition()
        self._wanted, self._done = None, False
        self.came = self.painted = None

    def now(self):
        return self._now

    def wait_until(self, moment):
        with self._changed:
            self._wanted = moment
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._now >= moment or self._done, PATIENCE)
            self._wanted = None

    def finish(self):
        """Nobody waits any more."""
        with self._changed:
            self._done = True
            self._changed.notify_all()

    def move(self, seconds):
        """So much time passes, in which the source goes on."""
        end = self._now + seconds
        while (wanted := self._next()) is not None and wanted <= end:
            self._go_to(wanted)
        self._go_to(end)

    def idle(self):
        """Time passes until the next frame comes, if all that came are painted."""
        wanted = self._next()
        if wanted is not None and self.came == self.painted:
            self._go_to(wanted)
            self._next()
        return False

    def _next(self):
        """The moment that the source waits for, when it has come to wait; None after its end."""
        with self._changed:
            waits = self._changed.wait_for(
                lambda: self._done or (self._wanted is not None and self._wanted > self._now), PATIENCE
            )
            assert waits, "the source neither waits nor ends"
            return None if self._done else self._wanted

    def _go_to(self, moment):
        with self._changed:
            self._now = moment
            self._changed.notify_all()


class Numbered(Clip):
    """Frames of one colour, which is their number divided by 1000."""

    name, height, width, has_sound = "numbers", 4, 6, False

    def __init__(self, count, rate, seen=None):
        self.rate, self.time_base, self.num_frames = Fraction(rate), Fraction(1, rate), count
        self._seen = seen

    def frames(self, first=0):
        for index in range(first, self.num_frames):
            image = torch.full((1, 3, self.height, self.width), index / 1000)
            if self._seen is not None:
                self._seen(image)
            yield Frame(image, index / self.rate, 1 / self.rate)

    def digest(self):
        return "none"


class Finishing(Clip):
    """A clip that tells a clock when it has ended."""

    def __init__(self, clip, clock):
        self._clip, self._clock = clip, clock
        for name in ("name", "height", "width", "rate", "time_base", "num_frames"):
            setattr(self, name, getattr(clip, name))

    def frames(self, first=0):
        try:
            for frame in self._clip.frames(first):
                self._clock.came = frame.time
                yield frame
        finally:
            self._clock.finish()

    def digest(self):
        return self._clip.digest()


class Slow(FramePainter):
    """Takes its time, by the clock, and gives the frames as they are."""

    def __init__(self, clock, seconds):
        self._clock, self._seconds, self.begun = clock, seconds, 0

    def begin(self):
        self.begun += 1

    def paint(self, frames):
        (frame,) = frames
        self._clock.painted = frame.time
        self._clock.move(self._seconds)
        return frame.image


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def device(clock):
    """A function that gives frames with numbers, which come at the times of the clock."""

    def make(count, rate, seen=None):
        return Finishing(play_clip(Numbered(count, rate, seen), clock=clock), clock)

    return make


@pytest.fixture
def number_of():
    """A function that gives the number of a frame."""
    return lambda frame: round(float(frame.image.mean()) * 1000)


@pytest.fixture
def slow(clock):
    """A function that gives a painter that takes so many seconds of the clock."""
    return lambda seconds: Slow(clock, seconds)
