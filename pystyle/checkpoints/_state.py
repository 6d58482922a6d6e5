"""What tells an object without public attributes from another of its type."""

import copyreg
import re
from pickle import PickleError
from typing import Any

from pystyle.checkpoints._hashes import sha256

_PROTOCOL = 4
_ADDRESS = re.compile("0x[0-9a-fA-F]{4,}")
_LONGEST = 100


def words_of(value: Any) -> str | None:
    """How it shows itself, if its class says that, and without an address."""
    if _is_of_object(type(value), "__repr__"):
        return None
    text = repr(value)
    if _ADDRESS.search(text):
        return None
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... with the SHA-256 {sha256(text.encode())}"


def state_of(value: Any) -> list[Any] | None:
    """What its type says that another one is made of; None if none can be made.

    It is empty if the type leaves that to Python, which takes all attributes: none of them is public.
    """
    kind = type(value)
    reduce = copyreg.dispatch_table.get(kind)
    try:
        reduced: Any = value.__reduce_ex__(_PROTOCOL) if reduce is None else reduce(value)
    except (TypeError, ValueError, AttributeError, RuntimeError, PickleError):
        return None
    if isinstance(reduced, str):
        return [reduced]
    if reduce is None and _is_of_object(kind, "__reduce_ex__") and _is_of_object(kind, "__reduce__"):
        return []
    parts: list[Any] = [*reduced[1:5], None, None, None]
    arguments, state, items, pairs = parts[:4]
    return [list(arguments), state, list(items or ()), list(pairs or ())]


def _is_of_object(kind: type, name: str) -> bool:
    """Whether a method is the one that all objects have."""
    return getattr(kind, name) is getattr(object, name)
