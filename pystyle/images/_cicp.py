"""The numbers of ITU-T H.273 in a file, which Pillow passes over: which colours, and how they are encoded."""

import struct
from collections.abc import Iterator
from typing import IO, Any


def coding_of(format_name: str, file: IO[bytes], info: dict[Any, Any]) -> tuple[int, int, bool] | None:
    """Returns the primaries, the transfer function, and whether the range is full; None if it is not said.

    Args:
        format_name: Of the file.
        file: It stands anywhere, and does so afterwards.
        info: What Pillow has read, where there may be a profile: it counts for more in AVIF and HEIF.
    """
    if format_name == "PNG":
        return _of_png(file)
    if "icc_profile" in info:
        return None
    if format_name == "HEIF":
        nclx = info.get("nclx_profile")
        return nclx and (int(nclx["color_primaries"]), int(nclx["transfer_characteristics"]), True)
    return _of_avif(file) if format_name == "AVIF" else None


def _of_png(file: IO[bytes]) -> tuple[int, int, bool] | None:
    """The chunk `cICP` (PNG specification, third edition, section 11.3.2.6), if it is before the pixels."""
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] not in (b"IDAT", b"IEND"):
        length = int.from_bytes(head[:4])
        if head[4:] == b"cICP" and length == 4:
            primaries, transfer, matrix, is_full = file.read(4)
            # RGB has the matrix 0; another one makes no sense.
            return None if matrix else (primaries, transfer, bool(is_full))
        file.seek(length + 4, 1)
    return None


def _of_avif(file: IO[bytes]) -> tuple[int, int, bool] | None:
    """The box `colr` of the kind `nclx` (ISO 14496-12, section 12.1.5); the decoder sees to the range."""
    file.seek(0)
    for name, content in _boxes(file.read()):
        place = content.find(b"colrnclx") if name == b"meta" else -1
        if place >= 0 and len(content) >= place + 12:
            primaries, transfer = struct.unpack_from(">HH", content, place + 8)
            return primaries, transfer, True
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4])
        if length < 8:  # The last box, or one that is larger than any image.
            return
        yield data[place + 4 : place + 8], data[place + 8 : place + length]
        place += length
