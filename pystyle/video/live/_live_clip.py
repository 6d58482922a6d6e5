"""Clips of what is happening now."""

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from torch import Tensor

from pystyle.video._clip import Clip
from pystyle.video._frame import Frame
from pystyle.video.live._clock import Clock

_UNIT = Fraction(1, 90_000)
_USUAL_RATE = Fraction(30)
_FASTEST = 1000


class Grab(NamedTuple):
    """A picture that came, and has not been converted yet: most of them are dropped.

    Attributes:
        moment: When it came, by the clock.
        frame: Converts it.
    """

    moment: float
    frame: Callable[[], Frame]


class LiveClip(Clip):
    """A source that goes on whether its frames are taken or not. A frame has the time at which it came.

    Args:
        name: What errors call it.
        clock: What tells the time.
    """

    def __init__(self, name: str, clock: Clock | None) -> None:
        self.name, self.time_base = name, _UNIT
        self._clock = Clock() if clock is None else clock

    @abstractmethod
    def _pictures(self) -> Generator[Callable[[], Tensor], None, None]:
        """What converts each picture, as soon as it comes."""

    def grabs(self) -> Generator[Grab, None, None]:
        """The pictures as they come."""
        start, before = self._clock.now(), -_UNIT
        with closing(self._pictures()) as pictures:
            for index, convert in enumerate(pictures):
                moment = self._clock.now()
                if not index:
                    start = moment
                # Whatever the clock says, frames follow each other.
                before = max(round((moment - start) / _UNIT) * _UNIT, before + _UNIT)
                yield Grab(moment, partial(self._converted, convert, before))

    def frames(self, first: int = 0) -> Iterator[Frame]:
        for index, grab in enumerate(self.grabs()):
            if index >= first:
                yield grab.frame()

    def digest(self) -> str:
        raise ValueError(f"'{self.name}' cannot be read again, so that a run from it cannot go on.")

    def _converted(self, convert: Callable[[], Tensor], time: Fraction) -> Frame:
        return self._frame(convert(), time, None)


def likely_rate(told: float) -> Fraction:
    """The rate that a device tells, or a usual one where it tells nonsense."""
    return Fraction(told).limit_denominator(1001) if 0.1 <= told <= _FASTEST else _USUAL_RATE


def grabs_of(clip: Clip, clock: Clock) -> Generator[Grab, None, None]:
    """The frames of any clip as they come."""
    if isinstance(clip, LiveClip):
        yield from clip.grabs()
        return
    for frame in clip.frames():
        yield Grab(clock.now(), partial(_itself, frame))


def _itself(frame: Frame) -> Frame:
    return frame
