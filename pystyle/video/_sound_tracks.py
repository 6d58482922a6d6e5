"""Sound tracks, copied from one container into another without being decoded."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any


class SoundTracks:
    """The sound tracks of an open container, and their packets.

    Args:
        streams: Streams of PyAV, open until :meth:`close`.
        packets: Their packets in the order of the file. Of a pipe those that came along with the pictures.
        start: What is taken from all times, in seconds.
        container: What is closed at the end, if it is this object's own.
    """

    def __init__(
        self, streams: list[Any], packets: Iterator[Any], start: Fraction, container: Any = None
    ) -> None:
        self.streams, self.packets, self.start, self._container = streams, packets, start, container

    def close(self) -> None:
        """Close the container."""
        if self._container is not None:
            self._container.close()


class SoundCopy:
    """Copies sound into a container, in step with its pictures.

    Args:
        sound: What is copied.
        container: An open container of PyAV for output, with the track of its pictures and without a header.
    """

    def __init__(self, sound: SoundTracks, container: Any) -> None:
        self._sound, self._container = sound, container
        self._waiting: Any = None
        self._streams: dict[int, Any] = {}
        for stream in sound.streams:
            copy = container.add_stream_from_template(stream, opaque=True)
            copy.metadata.update(stream.metadata)
            self._streams[stream.index] = copy

    @staticmethod
    def check(sound: SoundTracks, container: Any, name: str) -> None:
        """Find out whether a container takes all tracks.

        Raises:
            ValueError: If it does not; the message names the codec.
        """
        for stream in sound.streams:
            codec = stream.codec_context.codec.canonical_name
            if codec not in container.supported_codecs:
                raise ValueError(
                    f"'{name}' cannot hold the sound of the clip, which is {codec}. Write a file that ends "
                    'in ".mkv", which holds any, or leave the sound out with `sound=False`.'
                )

    def write_until(self, time: Fraction | None = None) -> None:
        """Write the packets that begin before a time; all that there are without one."""
        while True:
            packet = self._waiting if self._waiting is not None else next(self._sound.packets, None)
            self._waiting = None
            if packet is None:
                # A pipe may have more as soon as more of its pictures have been read.
                return
            begins = packet.pts if packet.dts is None else packet.dts
            if time is not None and begins * packet.time_base - self._sound.start >= time:
                self._waiting = packet
                return
            self._write(packet)

    def _write(self, packet: Any) -> None:
        shift = round(self._sound.start / packet.time_base)
        stream = self._streams[packet.stream.index]
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = stream
        self._container.mux(packet)
