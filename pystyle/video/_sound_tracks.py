"""Sound tracks that are on their way from one container into another."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol


class SoundTracks:
    """The sound tracks of an open container, and their packets.

    Args:
        streams: Streams of PyAV, open until :meth:`close`.
        packets: Their packets in the order of the file. Of a pipe those that came along with the pictures.
        start: What is taken from all times, in seconds.
        container: What is closed at the end, if anything is.
        is_own: Whether they belong to the pictures, and are copied as a whole. Others end with the pictures,
            and are encoded where the format has another way to hold sound.
    """

    def __init__(
        self,
        streams: list[Any],
        packets: Iterator[Any],
        start: Fraction,
        container: Any = None,
        *,
        is_own: bool = True,
    ) -> None:
        self.streams, self.packets, self.start, self._container = streams, packets, start, container
        self.is_own = is_own

    def close(self) -> None:
        """Close the container."""
        if self._container is not None:
            self._container.close()


class HasSound(Protocol):
    """A clip, or a file with sound."""

    def sound(self) -> SoundTracks | None:
        """Its tracks; None if there are none."""
