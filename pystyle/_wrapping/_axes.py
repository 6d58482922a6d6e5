from collections.abc import Sequence
from typing import Any, get_args

from pystyle.typing import Wrap

_NAMES = {2: "height", 3: "width"}


def checked_wrap(wrap: Any) -> Wrap | None:
    """The sides along which an image wraps, if it is one of the names or None.

    Raises:
        ValueError: If it is something else.
    """
    if wrap is not None and wrap not in get_args(Wrap):
        raise ValueError(
            f"`wrap` must be 'both' for what is laid beside itself in rows and columns, 'horizontal' for "
            f"panoramas, or None, got {wrap!r}."
        )
    found: Wrap | None = wrap
    return found


def axes_of(wrap: Wrap | None) -> tuple[int, ...]:
    """The axes of (batch, channels, height, width) along which an image wraps."""
    return {"both": (2, 3), "horizontal": (3,), None: ()}[wrap]


def check_multiple(size: Sequence[int], wrap: Wrap | None, multiple: int, label: str) -> None:
    """Check that the sides that wrap, of all of (height, width), are multiples of a stride.

    Between the last position of a layer and the first there would be another distance otherwise.

    Raises:
        ValueError: If one is not, with the nearest that are.
    """
    for axis in axes_of(wrap):
        side = size[axis - 2]
        if side % multiple:
            below, above = side // multiple * multiple, -(-side // multiple) * multiple
            nearest = f"{below} or {above}" if below else f"{above}"
            raise ValueError(
                f"{label} must have a {_NAMES[axis]} that is a multiple of {multiple} pixels to wrap, got "
                f"{side}. Resize it to {nearest}."
            )


def nearest_multiples(size: tuple[int, int], wrap: Wrap | None, multiple: int) -> tuple[int, int]:
    """Height and width, of which those that wrap are the nearest multiples of a stride, halves rounded up."""
    found = list(size)
    for axis in axes_of(wrap):
        side = found[axis - 2]
        found[axis - 2] = max((2 * side + multiple) // (2 * multiple), 1) * multiple
    return found[0], found[1]
