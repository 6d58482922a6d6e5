"""Which format a client wants."""

from pystyle.serving._problem import ProblemError

FORMATS = {"image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp"}
"""Media types of answers, the one for clients that take any first."""


def accepted_type(header: str | None) -> str:
    """The media type for a header `Accept`: the one with the largest quality, of equal ones the first here.

    Raises:
        ProblemError: If the client wants none of them.

    Example:
        >>> accepted_type("image/webp, image/*;q=0.8"), accepted_type("*/*"), accepted_type(None)
        ('image/webp', 'image/jpeg', 'image/jpeg')
    """
    if header is None or not header.strip():
        return next(iter(FORMATS))
    ranges = [_range(part) for part in header.split(",") if part.strip()]
    qualities = {name: _quality(name, ranges) for name in FORMATS}
    best = max(qualities, key=lambda name: qualities[name])
    if qualities[best] <= 0:
        raise ProblemError(406, f"`Accept` must allow one of {', '.join(FORMATS)}, got {header[:200]!r}.")
    return best


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in text.lower().split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _quality(name: str, ranges: list[tuple[str, float]]) -> float:
    """That of the most specific range which the type is in."""
    for pattern in (name, f"{name.partition('/')[0]}/*", "*/*"):
        found = [quality for text, quality in ranges if text == pattern]
        if found:
            return max(found)
    return 0.0
