"""Converters of option values: each gives the value, or an error that names the option and the rule."""

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import ImageColor

from pystyle.cli._errors import UsageError, did_you_mean
from pystyle.cli._paths import user_path

ORIGINAL_SIZE = "original"

SECONDS = MappingProxyType({"s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0})
"""Units of time in seconds."""

GIBIBYTES = MappingProxyType(
    {
        "gb": 1e9 / 2**30,
        "gib": 1.0,
        "g": 1.0,
        "mb": 1e6 / 2**30,
        "mib": 2.0**-10,
        "m": 2.0**-10,
        "tb": 1e12 / 2**30,
        "tib": 2.0**10,
    }
)
"""Units of memory in gibibytes."""

PIXELS = MappingProxyType({"mp": 1e6, "m": 1e6, "megapixels": 1e6, "k": 1e3})
"""Units of areas in pixels."""


def integer(option: str, *, least: int, most: int | None = None, unit: str = "") -> Callable[[str], int]:
    """A converter to an integer of a range, behind which its unit may stand.

    Example:
        >>> integer("--size", least=1, unit="px")("512 px")
        512
    """
    allowed = f"of at least {least}" if most is None else f"from {least} to {most}"

    def convert(text: str) -> int:
        amount = text.casefold().removesuffix(unit)
        try:
            value = int(amount)
        except ValueError:
            # A file of options may have 512.0.
            real = _number(amount)
            value = int(real) if real.is_integer() else least - 1
        if value < least or (most is not None and value > most):
            raise UsageError(f"`{option}` must be an integer {allowed}, got {text!r}.{_pair_hint(text)}")
        return value

    return convert


def color(option: str) -> Callable[[str], str]:
    """A converter that takes the name of a colour, or its hexadecimal code."""

    def convert(text: str) -> str:
        try:
            rgb_of(text)
        except ValueError as error:
            raise UsageError(
                f"`{option}` must be a colour such as white, black or #ff8000, got {text!r}."
            ) from error
        return text

    return convert


def rgb_of(color: str) -> tuple[float, float, float]:
    """A colour as RGB in [0, 1].

    Example:
        >>> rgb_of("#ff0033")
        (1.0, 0.0, 0.2)
    """
    red, green, blue = (level / 255 for level in ImageColor.getrgb(color)[:3])
    return red, green, blue


def size(option: str) -> Callable[[str], int | str]:
    """A converter to a short edge, or to the name of that which a picture has.

    Example:
        >>> size("--size")("512 px"), size("--size")("Original")
        (512, 'original')
    """

    def convert(text: str) -> int | str:
        if text.casefold() == ORIGINAL_SIZE:
            return ORIGINAL_SIZE
        try:
            return integer(option, least=1, unit="px")(text)
        except UsageError as error:
            raise UsageError(f"{error}{did_you_mean(text, [ORIGINAL_SIZE])}") from error

    return convert


def _pair_hint(text: str) -> str:
    """What to do instead of a width and a height."""
    sides = re.fullmatch(r"(\d+) *[x\u00d7*:] *(\d+)", text.strip().casefold())
    return f" Name the short edge alone: {min(map(int, sides.groups()))}." if sides else ""


def integers(option: str, *, least: int, unit: str = "") -> Callable[[str], int | list[int]]:
    """A converter to an integer, or to several between commas.

    Example:
        >>> integers("--steps", least=1)("60"), integers("--steps", least=1)("60,40")
        (60, [60, 40])
    """
    one = integer(option, least=least, unit=unit)

    def convert(text: str) -> int | list[int]:
        return [one(part) for part in text.split(",")] if "," in text else one(text)

    return convert


def name_or_integers(
    option: str, names: Sequence[str], *, least: int
) -> Callable[[str], str | int | list[int]]:
    """A converter to an integer, to several between commas, or to one of some names."""
    numbers = integers(option, least=least)

    def convert(text: str) -> str | int | list[int]:
        if text in names:
            return text
        try:
            return numbers(text)
        except UsageError as error:
            raise UsageError(f"{error}{did_you_mean(text, names)}") from error

    return convert


def positive_number(option: str, units: Mapping[str, float] = MappingProxyType({})) -> Callable[[str], float]:
    """A converter to a finite number above 0, behind which one of some units may stand.

    Args:
        option: The name of the option.
        units: What each unit, in lower case, is in that of a number alone.

    Example:
        >>> positive_number("--checkpoint-every", SECONDS)("5 min")
        300.0
    """

    def convert(text: str) -> float:
        amount = text.casefold().strip()
        unit = max((name for name in units if amount.endswith(name)), key=len, default="")
        value = _number(amount.removesuffix(unit)) * units.get(unit, 1.0)
        if not value > 0:
            known = f", such as 5 or 5{next(iter(units))}" if units else ""
            raise UsageError(
                f"`{option}` must be a number greater than 0{known}, got {text!r}.{_comma(text)}"
            )
        return value

    return convert


def number(option: str, *, most: float = math.inf) -> Callable[[str], float]:
    """A converter to a finite number of at least 0."""
    allowed = "of at least 0" if most == math.inf else f"from 0 to {most:g}"

    def convert(text: str) -> float:
        value = _number(text)
        if not 0 <= value <= most:
            raise UsageError(f"`{option}` must be a number {allowed}, got {text!r}.{_comma(text)}")
        return value

    return convert


def _comma(text: str) -> str:
    """What to do about the decimal comma."""
    return " Write a point for the comma." if re.fullmatch(r"\d+,\d+\D*", text.strip()) else ""


def name_or_positive_number(option: str, names: Sequence[str]) -> Callable[[str], str | float]:
    """A converter to a finite number above 0, or to one of some names."""

    def convert(text: str) -> str | float:
        value = _number(text)
        if text not in names and not value > 0:
            raise UsageError(
                f"`{option}` must be a number greater than 0 or one of {', '.join(names)}, got {text!r}."
                f"{_comma(text) or did_you_mean(text, names)}"
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
        if text in names:
            return text
        path = user_path(text)
        if Path(path).suffix or os.path.basename(path) != path or os.path.isfile(path):
            return path
        hint = did_you_mean(text, names)
        raise UsageError(f"`{option}` must be one of {', '.join(names)}, or a file, got {text!r}.{hint}")

    return convert


def pixels(text: str) -> int:
    """The area of ``--max-pixels``."""
    return round(positive_number("--max-pixels", PIXELS)(text))


def flat(values: Sequence[Any] | None) -> list[Any] | None:
    """One list of values and lists.

    Example:
        >>> flat([1, [2, 3]])
        [1, 2, 3]
    """
    if values is None:
        return None
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def names(text: str) -> list[str]:
    """The names between commas."""
    return [name.strip() for name in text.split(",")]


def _number(text: str) -> float:
    """The number, or -1, which all converters refuse."""
    try:
        value = float(text)
    except ValueError:
        return -1.0
    return value if math.isfinite(value) else -1.0
