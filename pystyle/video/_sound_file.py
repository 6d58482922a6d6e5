"""A sound from another file than that of the pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from pystyle._arguments import path_of
from pystyle.video._av import av_module, beginning, open_container
from pystyle.video._sound_error import SoundReadError
from pystyle.video._sound_tracks import SoundTracks


class SoundFile:
    """A file with sound: a song, or a clip of which the sound is taken.

    Args:
        source: Path, or a file object that can go back to its beginning.

    Raises:
        ImportError: If PyAV is missing.
        SoundReadError: If there is no sound track, or it cannot be read.
    """

    def __init__(self, source: str | os.PathLike[str] | IO[bytes]) -> None:
        # It is opened again for each clip that is written, when the program may be in another folder.
        self._source = path_of(source).absolute() if isinstance(source, str | os.PathLike) else source
        # So that what is wrong is known at once.
        self.sound().close()

    def sound(self) -> SoundTracks:
        """Its tracks, from the first packet on."""
        container, start = open_sound(self._source)
        streams = list(container.streams.audio)
        return SoundTracks(streams, self._packets(container, streams), start, container, is_own=False)

    def _packets(self, container: Any, streams: list[Any]) -> Iterator[Any]:
        with reading_sound(name_of(self._source)):
            yield from (packet for packet in container.demux(*streams) if packet.size)


def open_sound(source: str | os.PathLike[str] | IO[bytes]) -> tuple[Any, Fraction]:
    """An open container with sound, and the time of its beginning: that of the first picture or sound.

    Raises:
        SoundReadError: If it has none, or cannot be read.
    """
    av_module()
    name = name_of(source)
    if isinstance(source, str | os.PathLike):
        source = name
        if not Path(name).is_file():
            raise SoundReadError(f"Cannot read the sound '{name}': there is no such file. Check the path.")
    else:
        source.seek(0)
    with reading_sound(name):
        container = open_container(source)
        if not container.streams.audio:
            container.close()
            raise SoundReadError(f"Cannot read the sound '{name}': there is no sound track in it.")
        pictures = container.streams.best("video")
        return container, beginning([*container.streams.audio, *([] if pictures is None else [pictures])])


@contextmanager
def reading_sound(name: str) -> Iterator[None]:
    """A context whose errors of FFmpeg name the sound."""
    try:
        yield
    except av_module().error.FFmpegError as error:
        raise SoundReadError(f"Cannot read the sound '{name}': {error.strerror or error}.") from error


def name_of(source: str | os.PathLike[str] | IO[bytes]) -> str:
    """What errors call a sound: its path, if it has one."""
    return os.path.expanduser(source) if isinstance(source, str | os.PathLike) else "the file object"
