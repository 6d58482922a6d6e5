"""What a run was asked to do, in words and hashes that can be compared with those of another run."""

import inspect
import json
import os
import random
from collections import deque
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pystyle.checkpoints._hashes import code_hash, sha256, sorted_set, tensor_words
from pystyle.checkpoints._state import state_of, words_of

Description = dict[str, str]

_NUMBERS = (bool, int, float, complex, Fraction, Decimal)
_TEXTS = (str, bytes, bytearray)
_TIMES = (date, time, timedelta)
_OF_TORCH = (torch.dtype, torch.device, torch.memory_format, torch.layout)
_PLAIN = (*_NUMBERS, *_TEXTS, *_TIMES, *_OF_TORCH, type(None), range)
_ROWS = (list, tuple, deque, KeysView, ValuesView, ItemsView)


def describe(arguments: Mapping[str, Any]) -> Description:
    """What each part of the arguments is, by its name.

    Tensors and the parameters of modules are given by their SHA-256, classes and functions by their names,
    functions of Python by their instructions and what they close over as well. Of other objects the public
    attributes are described, and what is private is not. Those that have none are given by their `repr` if it
    says more than an address, and those that are not of Python by what a copy of them would be made of.

    Args:
        arguments: What is described, by name.

    Returns:
        One line for each part.

    Raises:
        TypeError: If a part can be told from no other of its type, as a lock or a running generator.

    Example:
        >>> import torch
        >>> from functools import partial
        >>> describe({"num_steps": 5, "optimizer": partial(torch.optim.Adam, lr=0.1)})
        {'num_steps': '5', 'optimizer': 'torch.optim.adam.Adam', 'optimizer.lr': '0.1'}
    """
    found: Description = {}
    for name, text in _parts(arguments, "", ()):
        # Two places may read the same: those of {1: ...} and {"1": ...}.
        while name in found:
            name += "'"
        found[name] = text
    return found


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs between two descriptions, each as a part of a sentence.

    Example:
        >>> differences({"num_steps": "5", "seed": "1"}, {"num_steps": "6", "seed": "1"})
        ['`num_steps` was 5 and is 6']
    """
    names = [*before, *(name for name in now if name not in before)]
    nothing = "not there"
    return [
        f"`{name}` was {before.get(name, nothing)} and is {now.get(name, nothing)}"
        for name in names
        if before.get(name, nothing) != now.get(name, nothing)
    ]


def fingerprint(value: Any) -> str:
    """A short hash of the whole description of a value, for records that people read.

    Example:
        >>> import torch
        >>> fingerprint(torch.zeros(2)) == fingerprint(torch.zeros(2)), fingerprint([1]) == fingerprint([2])
        (True, False)
        >>> len(fingerprint(None))
        16
    """
    return sha256(json.dumps(describe({"value": value}), sort_keys=True).encode())


def _parts(value: Any, name: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN) and not isinstance(value, Enum):
        yield name, repr(value)
    elif isinstance(value, Tensor):
        yield name, tensor_words(value)
    elif isinstance(value, torch.Generator):
        # Not by its state: a checkpoint has that of a loss, which goes on from there.
        yield name, f"torch.Generator on {value.device} with the seed {value.initial_seed()}"
    elif isinstance(value, set | frozenset):
        yield name, sorted_set(map(_in_a_set, value))
    elif isinstance(value, os.PathLike):
        yield name, os.fspath(value)
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        yield name, tensor_words(torch.from_numpy(value.copy()))
    elif id(value) in above:
        yield name, "itself"
    else:
        yield from _composed(value, name, (*above, id(value)))


def _composed(value: Any, name: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    attributes: Mapping[Any, Any] = {}
    if isinstance(value, Mapping):
        attributes = value
        if not attributes and name:
            yield name, "empty"
    elif isinstance(value, _ROWS):
        yield name, f"{len(value)} in a row"
        attributes = {str(index): item for index, item in enumerate(value)}
    elif isinstance(value, Enum):
        yield name, f"{_qualified(type(value))}.{value.name}"
        attributes = {"value": value.value}
    elif isinstance(value, partial):
        yield from _parts(value.func, name, above)
        attributes = {**{str(index): item for index, item in enumerate(value.args)}, **value.keywords}
    elif isinstance(value, type):
        yield name, _qualified(value)
    elif isinstance(value, ModuleType):
        yield name, value.__name__
    elif isinstance(value, FunctionType):
        yield name, f"{_qualified(value)} with the instructions {code_hash(value.__code__)}"
        attributes = _closed_over(value)
    elif callable(value) and hasattr(value, "__qualname__"):
        yield name, _qualified(value)
        owner = getattr(value, "__self__", None)
        attributes = {} if owner is None or isinstance(owner, type | ModuleType) else {"self": owner}
    else:
        attributes = _attributes(value)
        yield name, _object(value, name, above, is_told=bool(attributes))
    for key, item in attributes.items():
        part = _part(str(key))
        yield from _parts(item, f"{name}.{part}" if name else part, above)


def _object(value: Any, name: str, above: tuple[int, ...], *, is_told: bool) -> str:
    """Its type; and what else tells it from others, unless its public attributes do."""
    kind = _qualified(type(value))
    # Those of `random.Random` do not tell its numbers.
    if is_told and not isinstance(value, random.Random):
        return kind
    words, state = words_of(value), state_of(value)
    if state is None and words is None:
        raise TypeError(
            f"`{name}` is a {kind}, and nothing tells two of these apart, nor the runs with them. Give its "
            "class a public attribute that tells them, or hold it under a name that begins with an "
            "underscore, which is not described."
        )
    if not state:
        return words or kind
    text = json.dumps(list(_parts(state, name, above)))
    return f"{words or kind} with the SHA-256 {sha256(text.encode())}"


def _in_a_set(item: Any) -> str:
    return repr(item) if isinstance(item, _PLAIN) else fingerprint(item)


def _part(key: str) -> str:
    """A key as a part of a name; one with dots must not read as the names of what is within another."""
    return repr(key) if "." in key or key[:1] in ("", "'", '"') else key


def _attributes(value: Any) -> dict[str, Any]:
    slots = [slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ())]
    found = {slot: getattr(value, slot) for slot in slots if hasattr(value, slot)}
    found |= getattr(value, "__dict__", {})
    found = {key: item for key, item in found.items() if not key.startswith("_")}
    if isinstance(value, nn.Module):
        found |= dict(value.named_parameters(recurse=False))
        found |= dict(value.named_buffers(recurse=False))
        found |= dict(value.named_children())
    return found


def _closed_over(function: FunctionType) -> dict[str, Any]:
    found = inspect.getclosurevars(function).nonlocals
    defaults = {f"default {index}": item for index, item in enumerate(function.__defaults__ or ())}
    return {**found, **defaults, **(function.__kwdefaults__ or {})}


def _qualified(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"
