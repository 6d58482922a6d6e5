import io
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing
from fractions import Fraction
from typing import IO

from torch import Tensor

from pystyle._arguments import path_of
from pystyle.images._atomic import check_writable
from pystyle.video._av import av_module, new_container
from pystyle.video._clip import Clip
from pystyle.video._encoding import Settings, as_frames
from pystyle.video._folder_writing import checked_folder, folder_writer
from pystyle.video._formats import FORMATS, FormatName, format_of, quality_of
from pystyle.video._frame import Frame
from pystyle.video._rate import exact_rate
from pystyle.video._sound_file import SoundFile
from pystyle.video._sound_muxing import SoundMuxer
from pystyle.video._sound_tracks import HasSound
from pystyle.video._writing import Writer, file_writer

_USUAL_RATE = 25
_FINE = Fraction(1, 90_000)


def write_clip(
    path: str | os.PathLike[str] | IO[bytes],
    frames: Iterable[Frame | Tensor],
    *,
    like: Clip | None = None,
    rate: float | None = None,
    quality: int | None = None,
    format: FormatName | None = None,
    sound: bool | str | os.PathLike[str] | IO[bytes] = True,
) -> None:
    """Writes a stream of frames to a file, which is complete or as it was before.

    Only a few frames are in memory at a time. They may be painted while they are taken: that the file can be
    written, and holds the sound, is found out before the first.

    Args:
        path: A file that ends in ".mp4", ".m4v", ".mov", ".mkv" (H.264), ".webm" (VP9), ".gif", ".png",
            ".apng" or ".webp"; a folder for PNG files, which is new or empty; "-" is the standard output,
            and a file object is written from its beginning to its end.
        frames: Frames with their times, or images that follow each other at a rate.
        like: A clip whose sound, unit of time, rate, shape of pixels and repetitions are taken over.
        rate: Frames in a second, for images without times; that of `like`, or 25.
        quality: The constant rate factor of the encoder, smaller is better: from 0 to 51 for H.264, 18 if
            not given, and from 0 to 63 for VP9, 24 if not given.
        format: The format, whatever the name; Matroska for a pipe if not given.
        sound: Whether the sound of `like` is copied, unchanged, where the format holds any. Or another file
            with sound, such as a song or a clip: it begins with the pictures and ends with them, and what
            the format does not usually hold becomes AAC in MP4 and MOV and Opus in WebM.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        SoundReadError: The file `sound` cannot be read.
        TypeError: A frame is not a floating tensor.
        ValueError: There are no frames, one has another size or does not come after the one before, the
            file cannot hold the sound, or an argument is out of its range.
        OSError: The file cannot be written.

    Shape:
        Input: each ``(1, 3, height, width)`` or ``(3, height, width)``, in [0, 1]

    Example:
        >>> import tempfile, torch
        >>> from pystyle.video import read_clip, write_clip
        >>> path = tempfile.mkdtemp() + "/noise.mp4"
        >>> write_clip(path, (torch.rand(1, 3, 32, 48) for _ in range(5)), rate=12.5)
        >>> read_clip(path).duration
        Fraction(2, 5)

    Note:
        Colours have half the resolution of the picture in MP4, MOV, MKV, WebM and WebP. H.264 needs even
        sides: an odd one gets one more pixel, the last row or column once more. A GIF has 256 colours per
        frame, and times of hundredths of a second; MKV, WebM and WebP have times of milliseconds. WebP makes
        one frame of those that are equal. Where sound begins before the pictures, which AAC does by a few
        milliseconds, MKV moves both to later times.
    """
    settings = settings_for(path, like=like, rate=rate, quality=quality, format=format)
    with clip_writer(path, settings, sound_source(sound, like, settings)) as writer:
        for frame in as_frames(frames, settings.rate):
            writer.write(frame)


def settings_for(
    path: str | os.PathLike[str] | IO[bytes],
    *,
    like: Clip | None,
    rate: float | None,
    quality: int | None,
    format: FormatName | None,
) -> Settings:
    """How pictures are encoded for a file, after checking the arguments of :func:`write_clip`."""
    name = format_of(path if isinstance(path, str | os.PathLike) else "-", format)
    usual = like.rate if like is not None else Fraction(_USUAL_RATE)
    exact = usual if rate is None else exact_rate(rate)
    if name == "folder":
        return Settings(name, quality_of(name, quality), exact, 1 / exact)
    av_module()
    unit = FORMATS[name].time_base
    if unit is None:
        # Multiples of the one are those of the other.
        unit = like.time_base if like is not None and rate is None else _unit_of(exact)
    aspect, loop = (like.pixel_aspect, like.loop) if like is not None else (Fraction(1), 0)
    return Settings(name, quality_of(name, quality), exact, unit, aspect, loop)


def sound_source(
    sound: bool | str | os.PathLike[str] | IO[bytes], like: Clip | None, settings: Settings
) -> HasSound | None:
    """Where the sound of a clip comes from, of the argument of :func:`write_clip`.

    Raises:
        SoundReadError: If it is a file, and cannot be read.
        ValueError: If it is a file, and the format holds no sound.
    """
    has_sound = settings.format != "folder" and settings.kind.has_sound
    if isinstance(sound, bool):
        return like if sound and has_sound else None
    if not has_sound:
        raise ValueError(
            f"`sound` is for formats that hold sound, and the clip will be of the format '{settings.format}'."
        )
    return SoundFile(sound)


def settled(path: str | os.PathLike[str] | IO[bytes]) -> str | os.PathLike[str] | IO[bytes]:
    """Where a clip is written, even if a painter moves the program to another folder before."""
    if isinstance(path, str | os.PathLike) and os.fspath(path) != "-":
        return path_of(path).absolute()
    return path


def clip_writer(
    path: str | os.PathLike[str] | IO[bytes], settings: Settings, source: HasSound | None
) -> AbstractContextManager[Writer]:
    """A context with a writer, whose file is there when the context ends without an error."""
    if settings.format == "folder":
        return folder_writer(_folder_path(path))
    sound = None if source is None else source.sound()
    return file_writer(path, settings, sound)


def check_output(
    path: str | os.PathLike[str] | IO[bytes], settings: Settings, source: HasSound | None
) -> None:
    """Finds out whether a clip can be written, and holds the sound, before anything is.

    Raises:
        OSError: If it cannot be written.
        ValueError: If it cannot hold the sound, or is a folder with something in it.
    """
    if settings.format == "folder":
        checked_folder(_folder_path(path))
        return
    if isinstance(path, str | os.PathLike) and os.fspath(path) != "-":
        check_writable(path, kind="clip")
    sound = None if source is None else source.sound()
    if sound is not None:
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else "the pipe"
        with closing(sound), new_container(io.BytesIO(), settings.kind.container) as container:
            SoundMuxer.check(sound, container, name)


def _folder_path(path: str | os.PathLike[str] | IO[bytes]) -> str | os.PathLike[str]:
    if not isinstance(path, str | os.PathLike) or os.fspath(path) == "-":
        raise ValueError("A folder of frames must have a path, got a pipe.")
    return path


def _unit_of(rate: Fraction) -> Fraction:
    """A unit of which the durations at this rate are multiples, fine enough for other times."""
    unit = 1 / rate
    return unit / max(1, -(-unit // _FINE))
