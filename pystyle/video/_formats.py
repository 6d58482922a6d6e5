"""The files that are written: what holds the pictures, and with which encoder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, get_args

from pystyle._arguments import whole_number

FormatName = Literal["mp4", "mov", "mkv", "webm", "gif", "apng", "webp", "folder"]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Args:
        container: The muxer of FFmpeg.
        codec: The encoder of FFmpeg.
        pixel_format: What the encoder takes.
        options: Of the encoder.
        quality: The usual constant rate factor and the largest; None for those that have none.
        container_options: Of the muxer.
        time_base: The unit of its time stamps, if it has only one.
        is_even: Whether sides must be even.
        has_sound: Whether it can hold sound.
        sounds: The sounds of other files that are copied; None if all are. What FFmpeg would write beyond
            them is played in few places.
        sound_encoder: The encoder of FFmpeg for the others.
    """

    container: str
    codec: str
    pixel_format: str
    options: Mapping[str, str] = field(default_factory=dict)
    quality: tuple[int, int] | None = None
    container_options: Mapping[str, str] = field(default_factory=dict)
    time_base: Fraction | None = None
    is_even: bool = False
    has_sound: bool = True
    sounds: frozenset[str] | None = None
    sound_encoder: str = "aac"

    def copies(self, codec: str) -> bool:
        """Whether the sound of another file is copied, if it is of this codec."""
        return self.sounds is None or codec in self.sounds


# Without frames that refer to later ones, the order of decoding is that of showing: time stamps begin at
# zero, and parts that are encoded by themselves can follow each other.
# The fast preset leaves the processor to the painter, for a quarter more bytes. Macroblock trees would save a
# tenth, but with AVX-512 the same pictures give other bytes now and then (x264, core 165).
_H264_OPTIONS = {"bf": "0", "preset": "veryfast", "mbtree": "0"}
_FAST_START = {"movflags": "+faststart"}
_VP9_OPTIONS = {"deadline": "good", "cpu-used": "5", "row-mt": "1", "b": "0"}


_MP4_SOUNDS = frozenset({"aac", "ac3", "alac", "eac3", "mp3"})
_MOV_SOUNDS = _MP4_SOUNDS | {"pcm_s16le", "pcm_s24le"}
_WEBM_SOUNDS = frozenset({"opus", "vorbis"})


def _h264(
    container: str,
    options: Mapping[str, str],
    sounds: frozenset[str] | None,
    unit: Fraction | None = None,
) -> Format:
    return Format(
        container,
        "libx264",
        "yuv420p",
        _H264_OPTIONS,
        quality=(18, 51),
        container_options=options,
        time_base=unit,
        is_even=True,
        sounds=sounds,
    )


FORMATS: Final[Mapping[str, Format]] = {
    "mp4": _h264("mp4", _FAST_START, _MP4_SOUNDS),
    "mov": _h264("mov", _FAST_START, _MOV_SOUNDS),
    "mkv": _h264("matroska", {}, None, Fraction(1, 1000)),
    "webm": Format(
        "webm",
        "libvpx-vp9",
        "yuv420p",
        _VP9_OPTIONS,
        (24, 63),
        time_base=Fraction(1, 1000),
        sounds=_WEBM_SOUNDS,
        sound_encoder="libopus",
    ),
    "gif": Format("gif", "gif", "pal8", time_base=Fraction(1, 100), has_sound=False),
    "apng": Format("apng", "apng", "rgb24", {"pred": "up"}, has_sound=False),
    "webp": Format(
        "webp", "libwebp_anim", "yuv420p", {"quality": "90"}, time_base=Fraction(1, 1000), has_sound=False
    ),
}

_SUFFIXES = {
    ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "mkv", ".webm": "webm",
    ".gif": "gif", ".png": "apng", ".apng": "apng", ".webp": "webp", "": "folder",
}  # fmt: skip


def format_of(path: str | os.PathLike[str], name: str | None) -> str:
    """The name of the format of a file, by the argument `format` or by the suffix.

    Raises:
        ValueError: If there is no such format.
    """
    if name is not None:
        if name not in get_args(FormatName):
            raise ValueError(f"`format` must be one of {get_args(FormatName)}, got {name!r}.")
        return name
    if os.fspath(path) == "-":
        # Players and FFmpeg read it from a pipe.
        return "mkv"
    if Path(path).is_dir():
        return "folder"
    found = _SUFFIXES.get(Path(path).suffix.lower())
    if found is None:
        endings = ", ".join(suffix for suffix in _SUFFIXES if suffix)
        raise ValueError(
            f"The name of a clip must end in one of {endings}, or have no ending, for a folder of frames, "
            f"got '{os.fspath(path)}'."
        )
    return found


def quality_of(format: str, quality: int | None) -> str | None:
    """The constant rate factor of a format, as its encoder takes it.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is out of range, or the format has none.
    """
    known = FORMATS[format].quality if format in FORMATS else None
    if known is None:
        if quality is not None:
            raise ValueError(
                f"`quality` is for H.264 and VP9, and the clip will be of the format '{format}'."
            )
        return None
    usual, most = known
    return str(usual if quality is None else whole_number(quality, "`quality`", least=0, most=most))
