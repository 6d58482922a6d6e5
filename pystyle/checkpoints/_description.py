"""What a run was asked to do, in words and hashes that can be compared with those of another run."""

import hashlib
import inspect
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Description = dict[str, str]

_PLAIN = (bool, int, float, str, bytes, type(None), torch.dtype, torch.device, complex)


def describe(arguments: Mapping[str, Any]) -> Description:
    """What each part of the arguments is, by its name.

    Tensors and the parameters of modules are given by their SHA-256, classes and functions by their names,
    functions of Python by their instructions and what they close over as well. Of other objects the public
    attributes are described.

    Args:
        arguments: What is described, by name.

    Returns:
        One line for each part.

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
    return _sha256(json.dumps(describe({"value": value}), sort_keys=True).encode())


def _parts(value: Any, name: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        yield name, repr(value)
    elif isinstance(value, Tensor):
        yield name, _tensor(value)
    elif isinstance(value, set | frozenset):
        yield name, _set(value)
    elif isinstance(value, os.PathLike):
        yield name, os.fspath(value)
    elif isinstance(value, np.ndarray):
        yield name, _tensor(torch.from_numpy(value.copy()))
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
    elif isinstance(value, list | tuple):
        yield name, f"{len(value)} in a row"
        attributes = {str(index): item for index, item in enumerate(value)}
    elif isinstance(value, partial):
        yield from _parts(value.func, name, above)
        attributes = {**{str(index): item for index, item in enumerate(value.args)}, **value.keywords}
    elif isinstance(value, type):
        yield name, _qualified(value)
    elif isinstance(value, FunctionType):
        yield name, f"{_qualified(value)} with the instructions {_code(value.__code__)}"
        attributes = _closed_over(value)
    elif callable(value) and hasattr(value, "__qualname__"):
        yield name, _qualified(value)
        if inspect.ismethod(value):
            attributes = {"self": value.__self__}
    else:
        yield name, _qualified(type(value))
        attributes = _attributes(value)
    for key, item in attributes.items():
        part = _part(str(key))
        yield from _parts(item, f"{name}.{part}" if name else part, above)


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


def _tensor(value: Tensor) -> str:
    kind = f"{str(value.dtype).removeprefix('torch.')} of {' x '.join(map(str, value.shape)) or 'no axes'}"
    if value.device.type == "meta":
        return kind
    flat = value.detach().cpu().contiguous().flatten()
    return f"{kind} with the SHA-256 {_sha256(flat.view(torch.uint8).numpy().data)}"


def _sha256(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _code(code: CodeType) -> str:
    constants = [_constant(item) for item in code.co_consts]
    parts: Sequence[str] = [code.co_code.hex(), *code.co_names, *constants]
    return _sha256("\n".join(parts).encode())


def _constant(value: Any) -> str:
    if isinstance(value, CodeType):
        return _code(value)
    return _set(value) if isinstance(value, frozenset) else repr(value)


def _set(value: Iterable[Any]) -> str:
    # The order of a set is another one in each process.
    return "{" + ", ".join(sorted(map(repr, value))) + "}"


def _closed_over(function: FunctionType) -> dict[str, Any]:
    found = inspect.getclosurevars(function).nonlocals
    defaults = {f"default {index}": item for index, item in enumerate(function.__defaults__ or ())}
    return {**found, **defaults, **(function.__kwdefaults__ or {})}


def _qualified(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"
