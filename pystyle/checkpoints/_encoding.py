"""A state as the bytes of a file, in the format of safetensors.

The format is the length of a header, a header of JSON, and the bytes of the tensors: nothing in it can run.
What is no tensor stands as JSON in the metadata, and so does the SHA-256 of the whole file, computed with
zeros in its own place.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pystyle.checkpoints._error import CheckpointError

_FORMAT = "pystyle checkpoint 1"
_NO_DIGEST = "0" * 64

_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "C64": torch.complex64,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}


def encode(state: Mapping[str, Any]) -> list[bytes | memoryview]:
    """The bytes of a state, in pieces that follow each other.

    Args:
        state: Tensors, numbers, strings and None in dictionaries, lists and tuples.

    Returns:
        The pieces. Those of tensors on the CPU are views of them.

    Raises:
        TypeError: If something else is in it; the message says where.

    Example:
        >>> import torch
        >>> decode(b"".join(encode({"step": 3, "image": torch.ones(2)})))
        {'step': 3, 'image': tensor([1., 1.])}
    """
    tensors: dict[str, Tensor] = {}
    tree = json.dumps(_plain(state, "state", tensors))
    # Wide types first, so that each tensor starts at a multiple of its own width.
    ordered = sorted(tensors, key=lambda name: -tensors[name].element_size())
    metadata = {"format": _FORMAT, "sha256": _NO_DIGEST, "state": tree}
    header: dict[str, Any] = {"__metadata__": metadata}
    pieces: list[bytes | memoryview] = []
    offset = 0
    for name in ordered:
        piece = _bytes_of(tensors[name])
        header[name] = {
            "dtype": _NAMES[tensors[name].dtype],
            "shape": list(tensors[name].shape),
            "data_offsets": [offset, offset + len(piece)],
        }
        pieces.append(piece)
        offset += len(piece)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    length = len(text).to_bytes(8, "little")
    digest = _digest([length, text, *pieces])
    return [length, text.replace(_NO_DIGEST.encode(), digest.encode(), 1), *pieces]


def decode(data: bytes | bytearray | memoryview) -> dict[str, Any]:
    """The state of which these are the bytes.

    Args:
        data: What :func:`encode` made.

    Returns:
        The state, with tensors on the CPU that share no memory with the bytes.

    Raises:
        CheckpointError: If they are not what was written.

    Example:
        >>> decode(b"something else")
        Traceback (most recent call last):
        pystyle.checkpoints._error.CheckpointError: It is no checkpoint.
    """
    view = memoryview(data)
    length = int.from_bytes(view[:8], "little")
    if len(view) < 8 or length > len(view) - 8:
        raise CheckpointError("It is no checkpoint.")
    header, body = bytes(view[8 : 8 + length]), view[8 + length :]
    try:
        table = json.loads(header)
        metadata = table.pop("__metadata__")
        kind, digest, tree = metadata["format"], metadata["sha256"], metadata["state"]
        blank = header.replace(digest.encode(), _NO_DIGEST.encode(), 1)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise CheckpointError("It is no checkpoint.") from error
    if kind != _FORMAT:
        raise CheckpointError(f"It has the format {kind!r}, and this version reads {_FORMAT!r}.")
    if _digest([view[:8], blank, body]) != digest:
        raise CheckpointError("Its SHA-256 is not the one that was written.")
    try:
        tensors = {name: _tensor(entry, body) for name, entry in table.items()}
        state = _restored(json.loads(tree), tensors)
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError, RecursionError) as error:
        raise CheckpointError(f"Its parts do not fit each other ({error}).") from error
    if not isinstance(state, dict):
        raise CheckpointError("Its parts do not fit each other (the state is no dictionary).")
    return state


def _digest(pieces: list[Any]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _plain(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """The value in what JSON has, with its tensors taken out."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        if value.dtype not in _NAMES:
            raise TypeError(f"A checkpoint cannot hold a tensor of {value.dtype}, which is at `{place}`.")
        # Two places may read the same: those of {"a.b": ...} and {"a": {"b": ...}}.
        name = place
        while name in tensors:
            name += "'"
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, Mapping):
        entries = [[_key(key, place), _plain(item, f"{place}.{key}", tensors)] for key, item in value.items()]
        return {"dict": entries}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_plain(item, f"{place}.{index}", tensors) for index, item in enumerate(value)]}
    raise TypeError(f"A checkpoint cannot hold a {type(value).__name__}, which is at `{place}`.")


def _key(key: Any, place: str) -> Any:
    if not isinstance(key, int | str):
        raise TypeError(f"A checkpoint cannot hold the key {key!r}, which is in `{place}`.")
    return key


def _restored(value: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _restored(item, tensors) for key, item in content}
    items = [_restored(item, tensors) for item in content]
    return {"list": list, "tuple": tuple}[kind](items)


def _bytes_of(tensor: Tensor) -> memoryview:
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().data


def _tensor(entry: Any, body: memoryview) -> Tensor:
    start, stop = entry["data_offsets"]
    if not 0 <= start <= stop <= len(body):
        raise ValueError("a tensor lies outside of the file")
    dtype = _TYPES[entry["dtype"]]
    # Its own memory, aligned as torch aligns it: sums of vectors may depend on that.
    piece = torch.empty(stop - start, dtype=torch.uint8, device="cpu")
    piece.numpy().data[:] = body[start:stop]
    return piece.view(dtype).reshape(entry["shape"])
