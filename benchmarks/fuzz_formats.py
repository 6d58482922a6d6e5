"""Ways to damage a picture that know its format, and keep check sums and lengths right."""

import random
import re
import struct
import zlib

from fuzz_mutations import BLIND, NUMBERS, changed_list


def png(data: bytes, chance: random.Random) -> bytes:
    """Chunks with other contents or in another order, whose check sums are right."""
    chunks, place = [], 8
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    chunks = changed_list(chunks, lambda chunk: (chunk[0], chance.choice(BLIND)(chunk[1], chance)), chance)
    return data[:8] + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def jpeg(data: bytes, chance: random.Random) -> bytes:
    """Segments with other contents or in another order, whose lengths are right."""
    segments, place = [], 2
    while data[place : place + 1] == b"\xff" and data[place + 1 : place + 2] != b"\xda":
        (length,) = struct.unpack(">H", data[place + 2 : place + 4].ljust(2, b"\0"))
        segments.append((data[place : place + 2], data[place + 4 : place + 2 + length]))
        place += 2 + max(length, 2)
    rest = data[place:]
    changed = changed_list(segments, lambda part: (part[0], chance.choice(BLIND)(part[1], chance)), chance)
    parts = (name + struct.pack(">H", min(len(body) + 2, 65535)) + body for name, body in changed)
    return data[:2] + b"".join(parts) + rest


def riff(data: bytes, chance: random.Random) -> bytes:
    """Chunks of a WebP with other contents or in another order, whose lengths are right."""
    chunks, place = [], 12
    while place + 8 <= len(data):
        (length,) = struct.unpack("<I", data[place + 4 : place + 8])
        chunks.append((data[place : place + 4], data[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    chunks = changed_list(chunks, lambda chunk: (chunk[0], chance.choice(BLIND)(chunk[1], chance)), chance)
    body = b"".join(
        name + struct.pack("<I", len(part)) + part + bytes(len(part) % 2) for name, part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + data[8:12] + body


def tiff(data: bytes, chance: random.Random) -> bytes:
    """An entry of the first directory with another tag, type, count or value."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        place = start + 2 + 12 * chance.randrange(count)
        tag, kind, number, value = struct.unpack_from(f"{order}HHII", data, place)
    except (struct.error, ValueError):
        return data  # A mutation before this one broke it.
    match chance.randrange(4):
        case 0:
            tag = chance.choice((254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 338, 65000))
        case 1:
            kind = chance.randrange(15)
        case 2:
            number = chance.choice(NUMBERS)
        case _:
            value = chance.choice((*NUMBERS, 5, 32773, 34712, 50000))
    entry = struct.pack(f"{order}HHII", tag, kind, number, value)
    return data[:place] + entry + data[place + 12 :]


def pnm(data: bytes, chance: random.Random) -> bytes:
    """Another number or another kind in the header."""
    if chance.random() < 0.2:
        return b"P" + chance.choice((b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"f", b"F", b"y")) + data[2:]
    numbers = list(re.finditer(rb"-?\d+(?:\.\d+)?", data[2:60]))
    if not numbers:
        return data
    found = chance.choice(numbers)
    other = str(chance.choice((*NUMBERS, -1, 10**30, 1.5, "nan", "1e9"))).encode()
    return data[: 2 + found.start()] + other + data[2 + found.end() :]
