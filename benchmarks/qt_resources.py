"""Reads the files in a Qt resource container (``.rcc``), version 1 to 3, as Qt's `rcc --binary` writes it."""

import struct
import zlib
from collections.abc import Iterator

_DIRECTORY, _ZLIB, _ZSTD = 2, 1, 4


def resource_files(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The paths and contents of all files; those that are compressed by Zstandard are left out.

    Args:
        data: The container.

    Raises:
        ValueError: If it is none.
    """
    if data[:4] != b"qres":
        raise ValueError(
            f"`data` must be a Qt resource container, which starts with b'qres', got {data[:4]!r}."
        )
    version, tree, contents, names = struct.unpack_from(">4I", data, 4)
    node_size = 22 if version >= 2 else 14

    def name_at(offset: int) -> str:
        (length,) = struct.unpack_from(">H", data, names + offset)
        start = names + offset + 6  # length and hash
        return data[start : start + 2 * length].decode("utf-16-be")

    def walk(node: int, folder: str) -> Iterator[tuple[str, bytes]]:
        at = tree + node * node_size
        name_offset, flags, first, second = struct.unpack_from(">IHII", data, at)
        path = f"{folder}/{name_at(name_offset)}" if node else folder
        if flags & _DIRECTORY:
            for child in range(second, second + first):
                yield from walk(child, path)
        elif not flags & _ZSTD:
            # The first number of a file is its language; the second, where it starts.
            (length,) = struct.unpack_from(">I", data, contents + second)
            content = data[contents + second + 4 : contents + second + 4 + length]
            yield path, zlib.decompress(content[4:]) if flags & _ZLIB else content

    yield from walk(0, "")
