"""How long the last picture of an animation is shown: FFmpeg writes the time of the one before it."""

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import IO

_Chunks = Iterator[tuple[bytes, int, int]]
_MOST = 0xFFFF


def show_until(path: Path, format: str, end: Fraction) -> None:
    """Change the file so that its last picture is shown until a time, if it is an animation.

    Args:
        path: A complete file of FFmpeg.
        format: "apng" or "webp".
        end: Seconds from the beginning.
    """
    chunks, read, write, kind = _FORMATS[format]
    with path.open("r+b") as file:
        start, last = Fraction(0), None
        for name, place, _ in chunks(file):
            if name == kind:
                if last is not None:
                    start += read(file, last)
                last = place
        if last is not None and end > start:
            write(file, last, end - start)


def _png_chunks(file: IO[bytes]) -> _Chunks:
    """Name, place of the content, and length of each chunk."""
    place, size = 8, os.fstat(file.fileno()).st_size
    while place + 8 <= size:
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        yield name, place + 8, length
        place += 12 + length


def _riff_chunks(file: IO[bytes]) -> _Chunks:
    place, size = 12, os.fstat(file.fileno()).st_size
    while place + 8 <= size:
        file.seek(place)
        name, length = struct.unpack("<4sI", file.read(8))
        yield name, place + 8, length
        place += 8 + length + length % 2


# In an `fcTL` chunk the delay is a fraction of two numbers of 16 bits, after five of 32 bits.
def _read_png(file: IO[bytes], place: int) -> Fraction:
    file.seek(place + 20)
    above, below = struct.unpack(">HH", file.read(4))
    # Zero stands for hundredths.
    return Fraction(above, below or 100)


def _write_png(file: IO[bytes], place: int, duration: Fraction) -> None:
    exact = min(duration, Fraction(_MOST)).limit_denominator(_MOST)
    while exact.numerator > _MOST:
        exact = exact.limit_denominator(exact.denominator // 2)
    file.seek(place - 4)
    content = bytearray(file.read(30))
    content[24:28] = struct.pack(">HH", exact.numerator, exact.denominator)
    file.seek(place - 4)
    file.write(content + struct.pack(">I", zlib.crc32(content)))


# In an `ANMF` chunk the duration is a number of 24 bits, in milliseconds, after four of the same width.
def _read_webp(file: IO[bytes], place: int) -> Fraction:
    file.seek(place + 12)
    return Fraction(int.from_bytes(file.read(3), "little"), 1000)


def _write_webp(file: IO[bytes], place: int, duration: Fraction) -> None:
    file.seek(place + 12)
    file.write(min(round(duration * 1000), (1 << 24) - 1).to_bytes(3, "little"))


_FORMATS: Mapping[
    str,
    tuple[
        Callable[[IO[bytes]], _Chunks],
        Callable[[IO[bytes], int], Fraction],
        Callable[[IO[bytes], int, Fraction], None],
        bytes,
    ],
] = {
    "apng": (_png_chunks, _read_png, _write_png, b"fcTL"),
    "webp": (_riff_chunks, _read_webp, _write_webp, b"ANMF"),
}
