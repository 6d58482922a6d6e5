"""Clips that FFmpeg reads: files, and pipes that are read as they come."""

import hashlib
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

from pystyle.images import ImageReadError
from pystyle.video._av import beginning, open_container, reading
from pystyle.video._clip import Clip
from pystyle.video._frame import Frame
from pystyle.video._pipe import Pipe
from pystyle.video._pixels import tensor_of
from pystyle.video._sound_tracks import SoundTracks

_USUAL_RATE = Fraction(25)
_BLOCK = 1 << 20


class DecodedClip(Clip):
    """A clip that FFmpeg reads; one from a pipe is read once.

    Args:
        source: Path of a file, or a pipe, which is closed after the last frame.
        name: What errors call it.
        max_pixels: The most that a frame may have.

    Raises:
        ImportError: If PyAV is missing.
        ImageReadError: If it cannot be read, or has no pictures.
    """

    def __init__(self, source: Path | Pipe, name: str, max_pixels: int) -> None:
        self.name, self._source = name, source
        self.is_pipe = isinstance(source, Pipe)
        self._sound_of_pipe: deque[Any] | None = deque()
        self._sound_claimed = self._is_being_read = False
        with source.interruptible() if isinstance(source, Pipe) else nullcontext(), reading(name):
            container = self._open()
            stream = self._pictures(container)
            self._set_facts(container, stream)
            self._check_pixels(max_pixels)
            self._decoded: Iterator[Any] | None = self._decode(container, stream)
            first = next(self._decoded, None)
        if first is None:
            container.close()
            raise ImageReadError(f"Cannot read the clip '{name}': there is no whole picture in it.")
        # After the rotation.
        self.height, self.width = tensor_of(first).shape[2:]
        shown = [] if first.pts is None else [Fraction(first.pts * first.time_base)]
        self._start = beginning(container.streams.audio, shown)
        if self.is_pipe:
            self._container, self._decoded = container, _chained(first, self._decoded)
        else:
            self._decoded = None
            container.close()

    def frames(self, first: int = 0) -> Iterator[Frame]:
        if not isinstance(self._source, Pipe):
            with reading(self.name), self._open() as container:
                yield from self._frames(self._decode(container, self._pictures(container)), first)
            return
        decoded, self._decoded = self._decoded, None
        if decoded is None:
            raise ImageReadError(f"Cannot read the clip '{self.name}' twice: what came is gone.")
        with self._source.interruptible(), reading(self.name), ExitStack() as stack:
            stack.callback(self._source.close)
            if not self._sound_claimed:
                # Nobody will take it; else who has taken it closes the container, to which it belongs.
                self._sound_of_pipe = None
                stack.enter_context(self._container)
            self._is_being_read = True
            stack.callback(setattr, self, "_is_being_read", False)
            yield from self._frames(decoded, first)

    def sound(self) -> SoundTracks | None:
        if not self.has_sound:
            return None
        if self.is_pipe:
            self._sound_claimed = True
            waiting = _taken(self._sound_of_pipe)
            return SoundTracks(list(self._container.streams.audio), waiting, self._start, self)
        with reading(self.name):
            container = self._open()
            streams = list(container.streams.audio)
            packets = (packet for packet in container.demux(*streams) if packet.size)
            return SoundTracks(streams, packets, self._start, container)

    def close(self) -> None:
        """Close the container of a pipe, unless a thread waits in it, perhaps for ever: it goes with that."""
        if not self._is_being_read:
            self._container.close()

    def digest(self) -> str:
        if not isinstance(self._source, Path):
            raise ValueError(f"'{self.name}' cannot be read again, so that a run from it cannot go on.")
        return file_digest(self._source)

    def _open(self) -> Any:
        return open_container(str(self._source) if isinstance(self._source, Path) else self._source)

    def _pictures(self, container: Any) -> Any:
        stream = container.streams.best("video")
        if stream is None:
            raise ImageReadError(f"Cannot read the clip '{self.name}': there are no pictures in it.")
        stream.thread_type = "AUTO"
        return stream

    def _set_facts(self, container: Any, stream: Any) -> None:
        self.height, self.width = stream.height, stream.width
        self.rate = Fraction(stream.average_rate or stream.guessed_rate or _USUAL_RATE)
        self.time_base = Fraction(stream.time_base)
        self.num_frames = stream.frames or None
        self.has_sound = bool(container.streams.audio)
        self.pixel_aspect = Fraction(stream.sample_aspect_ratio or 1)
        if stream.duration is not None:
            self.duration = stream.duration * self.time_base
        elif container.duration is not None:
            self.duration = Fraction(container.duration, 1_000_000)

    def _decode(self, container: Any, stream: Any) -> Iterator[Any]:
        """The decoded frames; the packets of the sound of a pipe are put aside."""
        streams = [stream, *(container.streams.audio if self.is_pipe else ())]
        for packet in container.demux(*streams):
            if packet.stream is stream:
                yield from packet.decode()
            elif packet.size and self._sound_of_pipe is not None:
                self._sound_of_pipe.append(packet)

    def _frames(self, decoded: Iterator[Any], first: int) -> Iterator[Frame]:
        before: Fraction | None = None
        for index, frame in enumerate(decoded):
            time = None if frame.pts is None else frame.pts * Fraction(frame.time_base) - self._start
            if before is not None and (time is None or time <= before):
                # Damaged, or a container without time stamps.
                time = before + 1 / self.rate
            before = time = Fraction(0) if time is None else time
            if index >= first:
                duration = frame.duration * Fraction(frame.time_base) if frame.duration else None
                yield self._frame(tensor_of(frame), time, duration)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _chained(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


class _Taken:
    """An iterator over what is in a queue now; more may come after its end."""

    def __init__(self, queue: "deque[Any]") -> None:
        self._queue = queue

    def __iter__(self) -> "_Taken":
        return self

    def __next__(self) -> Any:
        if not self._queue:
            raise StopIteration
        return self._queue.popleft()


def _taken(queue: "deque[Any] | None") -> Iterator[Any]:
    return _Taken(queue if queue is not None else deque())
