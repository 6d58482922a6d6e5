"""Converters of option values: each gives the value, or an error that names the option and the rule."""

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from pystyle.cli._errors import UsageError, did_you_mean


def integer(option: str, *, least: int, most: int | None = None) -> Callable[[str], int]:
    """A converter to an integer of a range."""
    allowed = f"of at least {least}" if most is None else f"from {least} to {most}"

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise UsageError(f"`{option}` must be an integer {allowed}, got {text!r}.")
        return value

    return convert


def integers(option: str, *, least: int) -> Callable[[str], int | list[int]]:
    """A converter to an integer, or to several between commas.

    Example:
        >>> integers("--steps", least=1)("60"), integers("--steps", least=1)("60,40")
        (60, [60, 40])
    """
    one = integer(option, least=least)

    def convert(text: str) -> int | list[int]:
        return [one(part) for part in text.split(",")] if "," in text else one(text)

    return convert


def positive_number(option: str) -> Callable[[str], float]:
    """A converter to a finite number above 0."""

    def convert(text: str) -> float:
        value = _number(text)
        if not value > 0:
            raise UsageError(f"`{option}` must be a number greater than 0, got {text!r}.")
        return value

    return convert


def name_or_positive_number(option: str, names: Sequence[str]) -> Callable[[str], str | float]:
    """A converter to a finite number above 0, or to one of some names."""

    def convert(text: str) -> str | float:
        value = _number(text)
        if text not in names and not value > 0:
            raise UsageError(
                f"`{option}` must be a number greater than 0 or one of {', '.join(names)}, got {text!r}."
            )
        return text if text in names else value

    return convert


def weights_list(option: str) -> Callable[[str], list[float]]:
    """A converter of numbers between commas, not negative and not all 0."""

    def convert(text: str) -> list[float]:
        values = [_number(part) for part in text.split(",")]
        if not (min(values) >= 0 and sum(values) > 0):
            raise UsageError(
                f"`{option}` must be numbers between commas, such as 0.7,0.3, none negative and not all 0, "
                f"got {text!r}."
            )
        return values

    return convert


def one_of(option: str, names: Sequence[str]) -> Callable[[str], str]:
    """A converter that takes some names only."""

    def convert(text: str) -> str:
        if text not in names:
            hint = did_you_mean(text, names)
            raise UsageError(f"`{option}` must be one of {', '.join(names)}, got {text!r}.{hint}")
        return text

    return convert


def name_or_path(option: str, names: Sequence[str]) -> Callable[[str], str]:
    """A converter that takes some names, and whatever is or looks like a file.

    Example:
        >>> name_or_path("--init", ["content"])("previous.png")
        'previous.png'
    """

    def convert(text: str) -> str:
        if text in names or Path(text).suffix or os.path.basename(text) != text or os.path.isfile(text):
            return text
        hint = did_you_mean(text, names)
        raise UsageError(f"`{option}` must be one of {', '.join(names)}, or a file, got {text!r}.{hint}")

    return convert


def _number(text: str) -> float:
    """The number, or -1, which all converters refuse."""
    try:
        value = float(text)
    except ValueError:
        return -1.0
    return value if math.isfinite(value) else -1.0
