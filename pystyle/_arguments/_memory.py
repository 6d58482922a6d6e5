"""Amounts of memory as numbers of bytes or as text, and what is said when there is too little."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import clear_frames
from typing import Any

import torch

from pystyle._arguments._numbers import whole_number

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}


def byte_count(value: Any, label: str) -> int:
    """The number of bytes that is meant.

    Args:
        value: A number of bytes, or text such as ``"4GB"`` (10⁹) or ``"1.5 GiB"`` (2³⁰).
        label: How errors call it.

    Raises:
        TypeError: If it is neither a number nor text.
        ValueError: If it is not positive, or text of another form.

    Example:
        >>> byte_count("4GB", "`memory_budget`"), byte_count("1.5 GiB", "`memory_budget`")
        (4000000000, 1610612736)
    """
    if not isinstance(value, str):
        return whole_number(value, label, least=1)
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([kmgt]?i?)b?\s*", value.lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"{label} must be a number of bytes or text such as '4GB', got {value!r}.")
    return whole_number(round(float(match[1]) * _UNITS[match[2]]), label, least=1)


@contextmanager
def explained_allocations(what: str) -> Iterator[None]:
    """A context that says what there was too little memory for.

    Args:
        what: The beginning of the sentence, such as ``"Reading the image"``.

    Raises:
        MemoryError: In place of what torch, numpy or Python raise; one that was explained stays as it is.

    Example:
        >>> with explained_allocations("Resizing the image"):
        ...     raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 22.9 GiB.")
        Traceback (most recent call last):
        MemoryError: Resizing the image takes more memory than was free. Take smaller images. (CUDA out of ...
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_lack_of_memory(error):
            raise
        # The frames of what failed hold its tensors, and would hold them as long as somebody keeps the error.
        clear_frames(error.__traceback__)
        detail = str(error).strip().partition("\n")[0]
        raise MemoryError(
            f"{what} takes more memory than was free. Take smaller images.{f' ({detail})' if detail else ''}"
        ) from error


def is_lack_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Whether an error says that there was too little memory, in words that explain nothing."""
    if isinstance(error, MemoryError):
        # Those of this library are plain and have a sentence; numpy's are of a class of its own.
        return type(error) is not MemoryError or not error.args
    # On a CPU torch raises a plain RuntimeError, and so does the library of its convolutions.
    words = ("can't allocate memory", "could not create a primitive", "bad_alloc")
    return isinstance(error, torch.OutOfMemoryError) or any(text in str(error) for text in words)
