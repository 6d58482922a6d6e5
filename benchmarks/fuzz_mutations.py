"""Ways to damage a file: those that know no format, and those that know archives and headers of JSON."""

import hashlib
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]

NUMBERS = (0, 1, 2, 3, 7, 8, 16, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
_DIGEST = re.compile(rb'"sha256": "[0-9a-f]{64}"')
_LENGTH = 8
"""Bytes before the header of safetensors."""


def damaged(data: bytes, chance: random.Random, known: tuple[Mutation, ...] = ()) -> bytes:
    """The file after one to four mutations, half of which know its format, if there are such."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        data = chance.choice(known if known and chance.random() < 0.5 else BLIND)(data, chance)
    return data


def _flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 4, 32)) if data else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _number(data: bytes, chance: random.Random) -> bytes:
    """Another number somewhere, more often near the beginning."""
    end = len(data) if chance.random() < 0.5 else min(len(data), 64)
    place, width = chance.randrange(end + 1), chance.choice((1, 2, 4))
    number = chance.choice(NUMBERS) % 256**width
    return data[:place] + number.to_bytes(width, chance.choice(("little", "big"))) + data[place + width :]


def _rearranged(data: bytes, chance: random.Random) -> bytes:
    """A piece is removed, doubled, moved, emptied or replaced by noise."""
    start, stop = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    stop = min(stop, start + chance.choice((1, 4, 64, 4096)))
    before, piece, after = data[:start], data[start:stop], data[stop:]
    other = chance.randrange(len(after) + 1)
    return chance.choice(
        (
            before + after,
            before + piece * chance.choice((2, 50)) + after,
            before + after[:other] + piece + after[other:],
            before + bytes(len(piece)) + after,
            before + b"\xff" * len(piece) + after,
            before + chance.randbytes(len(piece)) + after,
        )
    )


BLIND: tuple[Mutation, ...] = (_flipped, _cut, _number, _rearranged)


def zipped(data: bytes, chance: random.Random) -> bytes:
    """Members of an archive of torch with other contents, whose check sums are right."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return data  # A mutation before this one broke it.
    members = changed_list(
        members, lambda member: (member[0], chance.choice(BLIND)(member[1], chance)), chance
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, body in dict(members).items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return stream.getvalue()


def header(data: bytes, chance: random.Random) -> bytes:
    """A header of JSON, as safetensors has it, with something else in it."""
    length = int.from_bytes(data[:_LENGTH], "little")
    text, body = data[_LENGTH : _LENGTH + length], data[_LENGTH + length :]
    try:
        text = _edited_json(text, chance)
    except (ValueError, RecursionError):
        text = chance.choice(BLIND)(text, chance)
    return len(text).to_bytes(_LENGTH, "little") + text + body


def signed(data: bytes, chance: random.Random) -> bytes:
    """A checkpoint with another header and the SHA-256 that belongs to it."""
    data = header(data, chance)
    blank = _DIGEST.sub(b'"sha256": "' + b"0" * 64 + b'"', data, count=1)
    digest = hashlib.sha256(blank).hexdigest().encode()
    return blank.replace(b"0" * 64, digest, 1)


def _edited_json(text: bytes, chance: random.Random) -> bytes:
    table = json.loads(text)
    if isinstance(table, dict) and isinstance(table.get("__metadata__"), dict) and chance.random() < 0.5:
        state = table["__metadata__"].get("state")
        if isinstance(state, str):
            table["__metadata__"]["state"] = _edited_json(state.encode(), chance).decode()
            return json.dumps(table).encode()
    return json.dumps(_edited(table, chance)).encode()


def _edited(value: Any, chance: random.Random) -> Any:
    """The value with one place in it changed."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: _edited(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        return changed_list(value, lambda item: _edited(item, chance), chance)
    deep: Any = []
    for _ in range(chance.choice((3, 90, 900))):
        deep = {"list": [deep]} if chance.random() < 0.5 else [deep]
    numbers = (-1, 0, 1, 2**31, 2**62, 2**63, 2**70, 10**400, 0.5, 1e308, float("inf"), float("nan"))
    texts = ("", "F32", "BOOL", "\ud800", "x" * 1000, "state.step", "0" * 64)
    others = (None, True, [], {}, [2**40] * 2, [0, 2**62], {"tensor": "state.finite"}, {"dict": [[1, 2]]})
    return chance.choice((*numbers, *texts, *others, deep))


def changed_list(items: list[Any], change: Callable[[Any], Any], chance: random.Random) -> list[Any]:
    """The items with one changed, doubled, removed, or two exchanged."""
    items = list(items)
    if not items:
        return items
    first, second = chance.randrange(len(items)), chance.randrange(len(items))
    match chance.randrange(5):
        case 0:
            items.insert(second, items[first])
        case 1:
            del items[first]
        case 2:
            items[first], items[second] = items[second], items[first]
        case _:
            items[first] = change(items[first])
    return items
