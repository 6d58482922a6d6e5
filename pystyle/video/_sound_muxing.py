"""Sound that is written beside pictures: copied, or encoded where the file would not hold it."""

from fractions import Fraction
from typing import Any, Protocol

from pystyle.video._formats import Format
from pystyle.video._sound_encoding import EncodedTrack
from pystyle.video._sound_tracks import SoundTracks


class SoundMuxer:
    """Writes sound into a container, in step with its pictures.

    Args:
        sound: What is written.
        container: An open container of PyAV for output, with the track of its pictures and without a header.
        kind: What is known of its format.
    """

    def __init__(self, sound: SoundTracks, container: Any, kind: Format) -> None:
        self._sound, self._container = sound, container
        self._waiting: Any = None
        self._tracks: dict[int, _Track] = {}
        for stream in sound.streams:
            is_copied = sound.is_own or kind.copies(stream.codec_context.codec.canonical_name)
            self._tracks[stream.index] = (
                _CopiedTrack(stream, container, sound.start)
                if is_copied
                else EncodedTrack(stream, container, sound.start, kind.sound_encoder)
            )

    @staticmethod
    def check(sound: SoundTracks, container: Any, name: str) -> None:
        """Find out whether a container takes all tracks.

        Raises:
            ValueError: If it does not; the message names the codec.
        """
        for stream in sound.streams if sound.is_own else ():
            codec = stream.codec_context.codec.canonical_name
            if codec not in container.supported_codecs:
                raise ValueError(
                    f"'{name}' cannot hold the sound of the clip, which is {codec}. Write a file that ends "
                    'in ".mkv", which holds any, leave the sound out with `sound=False`, or name the file '
                    "that it comes from as `sound`, so that it is encoded."
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
            self._tracks[packet.stream.index].mux(packet)

    def finish(self, end: Fraction) -> None:
        """Write what remains; of a sound that is not the clip's own, what begins before the pictures end."""
        self.write_until(None if self._sound.is_own else end)
        for track in self._tracks.values():
            track.flush()


class _Track(Protocol):
    def mux(self, packet: Any) -> None:
        """Write what a packet of the source becomes."""

    def flush(self) -> None:
        """Write what remains."""


class _CopiedTrack:
    """A track whose packets are copied with other time stamps."""

    def __init__(self, source: Any, container: Any, start: Fraction) -> None:
        self._container, self._start = container, start
        self._stream = container.add_stream_from_template(source, opaque=True)
        self._stream.metadata.update(source.metadata)

    def mux(self, packet: Any) -> None:
        shift = round(self._start / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = self._stream
        self._container.mux(packet)

    def flush(self) -> None:
        pass
