"""PNG with 16 bits per channel, which Pillow writes for grey images only."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # grey and RGB, both without and with opacity, by channels


def png16(pixels: NDArray[np.uint16], *, like: bytes = b"") -> bytes:
    """Returns the bytes of a PNG file (PNG specification, third edition, sections 5 and 9).

    Args:
        pixels: The values.
        like: Another PNG file, whose metadata it gets.

    Shape:
        Input: ``(height, width, channels)`` with 1 to 4 channels; of 2 and 4 the last is opacity.
    """
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    # Numpy looks at the same bytes in another type only where they lie side by side.
    rows = np.ascontiguousarray(pixels, dtype=">u2").reshape(height, -1).view(np.uint8)
    data = _chunk(b"IDAT", zlib.compress(_filtered(rows)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (_chunk(b"IHDR", header), *_metadata(like), data, _chunk(b"IEND", b""))
    )


def _metadata(file: bytes) -> Iterator[bytes]:
    """The chunks of a file with metadata: a length, a name, the data, a checksum."""
    place = 8
    while place < len(file):
        end = place + 12 + int.from_bytes(file[place : place + 4])
        if file[place + 4 : place + 8] in (b"pHYs", b"eXIf", b"iTXt"):
            yield file[place:end]
        place = end


def _filtered(rows: NDArray[np.uint8]) -> bytes:
    # Each row as its difference from the one above (filter type 2), which compresses better than the values.
    up = np.full((rows.shape[0], 1 + rows.shape[1]), 2, dtype=np.uint8)
    up[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=up[1:, 1:])
    return up.tobytes()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
