"""Files that become visible when they are complete."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import IO, Any, Protocol

from pystyle.images._atomic import check_writable, checked_place, creation_mode, put_in_place
from pystyle.video._av import OneWay, new_container, writing
from pystyle.video._encoding import PictureTrack, Settings
from pystyle.video._frame import Frame
from pystyle.video._last_frame import show_until
from pystyle.video._sound_muxing import SoundMuxer
from pystyle.video._sound_tracks import SoundTracks


class Writer(Protocol):
    """What takes the frames of a clip."""

    def write(self, frame: Frame) -> None:
        """Add a frame."""


@contextmanager
def file_writer(
    path: str | os.PathLike[str] | IO[bytes], settings: Settings, sound: SoundTracks | None
) -> Iterator["ContainerWriter"]:
    """A context with a writer of a file, which is there when the context ends without an error.

    Raises:
        OSError: If it cannot be written.
        ValueError: If it cannot hold the sound.
    """
    if not isinstance(path, str | os.PathLike) or os.fspath(path) == "-":
        file = sys.stdout.buffer if isinstance(path, str | os.PathLike) else path
        yield from _streamed(file, settings, sound, "the pipe")
        return
    check_writable(path, kind="clip")
    place = checked_place(path, kind="clip")
    if place.exists() and not place.is_file():
        with place.open("wb") as file:
            yield from _streamed(file, settings, sound, str(place))
        return
    temporary = place.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        # Not by `tempfile`, whose files are private.
        temporary.touch(creation_mode(place), exist_ok=False)
        name = os.fspath(path)
        with writing(name), ContainerWriter(str(temporary), settings, sound, name) as writer:
            yield writer
        if settings.format in ("apng", "webp"):
            show_until(temporary, settings.format, writer.end)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        put_in_place(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)


def _streamed(
    file: IO[bytes], settings: Settings, sound: SoundTracks | None, name: str
) -> Iterator["ContainerWriter"]:
    with writing(name), ContainerWriter(OneWay(file), settings, sound, name) as writer:
        yield writer
    file.flush()


class ContainerWriter:
    """Writes pictures and sound into a container.

    Args:
        target: A path, or a file object.
        settings: How pictures are encoded.
        sound: What is copied, or encoded.
        name: What errors call it.

    Attributes:
        end: Until when the last picture is shown, in seconds.
    """

    def __init__(self, target: Any, settings: Settings, sound: SoundTracks | None, name: str) -> None:
        options = settings.container_options
        if isinstance(target, OneWay) and "movflags" in options:
            # A header at the beginning of what cannot be gone back in.
            options["movflags"] = "frag_keyframe+empty_moov+default_base_moof"
        self._settings, self._name, self._source = settings, name, sound
        self._container = new_container(target, settings.kind.container, options)
        self._track: PictureTrack | None = None
        self._sound: SoundMuxer | None = None
        self.end = Fraction(0)

    def __enter__(self) -> "ContainerWriter":
        try:
            if self._source is not None:
                # Before the first frame is painted, so that what cannot be held is known.
                SoundMuxer.check(self._source, self._container, self._name)
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
                self._container.close()
        finally:
            # After an error: another one of the same pipe would hide it.
            with suppress(Exception):
                self._container.close()
            if self._source is not None:
                self._source.close()

    def write(self, frame: Frame) -> None:
        """Encode a frame, and write what is ready with the sound up to it."""
        track = self.begin(*frame.image.shape[-2:])
        # That of the packets, too, but not of WebP, which comes as one.
        self.end = Fraction(frame.time + (frame.duration or 1 / self._settings.rate))
        for packet in track.encode(frame):
            self.mux(packet)

    def begin(self, height: int, width: int) -> PictureTrack:
        """The track of pictures, which is made for this size if there is none."""
        if self._track is None:
            self._track = PictureTrack(self._container, self._settings, height, width, self._name)
            if self._source is not None:
                self._sound = SoundMuxer(self._source, self._container, self._settings.kind)
        return self._track

    @property
    def time_base(self) -> Fraction:
        """The unit of the time stamps of pictures, in seconds."""
        return self._settings.time_base

    def mux(self, packet: Any) -> None:
        """Write a packet of the track, after the sound up to it."""
        if self._track is not None:
            packet.stream = self._track.stream
        if packet.pts is not None:
            self.end = max(self.end, (packet.pts + packet.duration) * Fraction(packet.time_base))
        if self._sound is not None and packet.pts is not None:
            self._sound.write_until(packet.pts * Fraction(packet.time_base))
        self._container.mux(packet)

    def _finish(self) -> None:
        if self._track is None:
            raise ValueError("A clip must have at least one frame, got none.")
        for packet in self._track.flush():
            self.mux(packet)
        if self._sound is not None:
            self._sound.finish(self.end)
