"""The form of a request, and its fields as values; each error names the field and the rule."""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pystyle.serving._problem import ProblemError

T = TypeVar("T", bound=str)

ORIGINAL_SIZE = "original"
_SHOWN = 100
"""Characters of a text that an error repeats."""


@dataclass(frozen=True)
class Form:
    """What a client has sent.

    Args:
        items: Names and values in their order; a file is bytes.
    """

    items: Sequence[tuple[str, str | bytes]]

    def check(self, fields: Collection[str], *, several: Collection[str] = ()) -> None:
        """Refuse fields that are unknown, or there more than once.

        Raises:
            ProblemError: If there is one.
        """
        names = [name for name, _ in self.items]
        for name in names:
            if name not in fields:
                close = difflib.get_close_matches(name, fields, n=1, cutoff=0.5)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise ProblemError(
                    422, f"There is no field {_short(name)}; there are {', '.join(fields)}.{hint}"
                )
            if name not in several and names.count(name) > 1:
                raise ProblemError(422, f"`{name}` must be given once, got it {names.count(name)} times.")

    def several(self, name: str) -> list[str | bytes]:
        """All values of a field."""
        return [value for other, value in self.items if other == name]

    def file(self, name: str) -> bytes:
        """The file in a field.

        Raises:
            ProblemError: If it is missing, or is text: paths and addresses are never opened.
        """
        for value in self.several(name):
            if isinstance(value, bytes):
                return value
            raise ProblemError(
                422,
                f"`{name}` must be a file with a `filename`, got the text {_short(value)}. No path and no "
                "address is opened: send the picture itself.",
            )
        raise ProblemError(422, f"`{name}` must be the file of a picture, got none.")

    def text(self, name: str) -> str | None:
        """The text in a field, or None without it.

        Raises:
            ProblemError: If it is a file.
        """
        for value in self.several(name):
            if isinstance(value, str):
                return value.strip()
            raise ProblemError(422, f"`{name}` must be text, got a file.")
        return None

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        """The number in a field.

        Raises:
            ProblemError: If it is none, or out of its bounds.
        """
        return self._bounded(name, default, least, most, kind="a number")

    def whole_number(self, name: str, default: int, *, least: int, most: int) -> int:
        """The whole number in a field.

        Raises:
            ProblemError: If it is none, or out of its bounds.
        """
        return int(self._bounded(name, default, least, most, kind="an integer"))

    def _bounded(self, name: str, default: float, least: float, most: float, *, kind: str) -> float:
        text = self.text(name)
        if text is None:
            return default
        value = _number(text)
        if not least <= value <= most or (kind == "an integer" and not value.is_integer()):
            raise ProblemError(
                422, f"`{name}` must be {kind} from {least:.9g} to {most:.9g}, got {_short(text)}."
            )
        return value

    def size(self, name: str, default: int, *, least: int, most: int) -> int | str:
        """The short edge in a field, or "original".

        Raises:
            ProblemError: If it is nothing of this.
        """
        if self.text(name) == ORIGINAL_SIZE:
            return ORIGINAL_SIZE
        try:
            return self.whole_number(name, default, least=least, most=most)
        except ProblemError as problem:
            detail = problem.detail.replace(", got", f" or {ORIGINAL_SIZE!r}, got", 1)
            raise ProblemError(problem.status, detail) from problem

    def one_of(self, name: str, default: T, names: Sequence[T]) -> T:
        """The name in a field.

        Raises:
            ProblemError: If it is none of the names.
        """
        text = self.text(name)
        if text is None:
            return default
        for known in names:
            if text == known:
                return known
        raise ProblemError(422, f"`{name}` must be one of {', '.join(names)}, got {_short(text)}.")

    def weights(self, name: str, count: int) -> list[float]:
        """Numbers between commas, one for each of several; equal ones without the field.

        Raises:
            ProblemError: If they are not as many, one is negative, or all are 0.
        """
        text = self.text(name)
        if text is None:
            return [1.0] * count
        values = [_number(part) for part in text.split(",")]
        if len(values) != count or not (min(values) >= 0 and sum(values) > 0):
            raise ProblemError(
                422,
                f"`{name}` must be numbers between commas, such as 0.7,0.3, one for each `style`, none "
                f"negative and not all 0, got {_short(text)} for {count} of them.",
            )
        return values


def _number(text: str) -> float:
    """The finite number, or minus infinity, which all rules refuse."""
    try:
        value = float(text)
    except ValueError:
        return float("-inf")
    return value if abs(value) < 1e9 else float("-inf")


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
