import hashlib
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Any

import torch
from torch import Tensor


def sha256(data: Any) -> str:
    """The first 16 figures of the SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def tensor_words(value: Tensor) -> str:
    """Type, shape and hash of a tensor, whatever its memory format."""
    kind = f"{str(value.dtype).removeprefix('torch.')} of {' x '.join(map(str, value.shape)) or 'no axes'}"
    if value.device.type == "meta":
        return kind
    flat = value.detach().cpu().contiguous().flatten()
    return f"{kind} with the SHA-256 {sha256(flat.view(torch.uint8).numpy().data)}"


def code_hash(code: CodeType) -> str:
    """A hash of the instructions of a function, with their names and constants."""
    constants = [_constant(item) for item in code.co_consts]
    parts: Sequence[str] = [code.co_code.hex(), *code.co_names, *constants]
    return sha256("\n".join(parts).encode())


def sorted_set(texts: Iterable[str]) -> str:
    """A set in words, of which the order is another one in each process."""
    return "{" + ", ".join(sorted(texts)) + "}"


def _constant(value: Any) -> str:
    if isinstance(value, CodeType):
        return code_hash(value)
    return sorted_set(map(repr, value)) if isinstance(value, frozenset) else repr(value)
