"""Numbers as people pass them: of Python and numpy, and tensors of a single one."""

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
from torch import Tensor
from typing_extensions import TypeIs


def number(
    value: Any,
    label: str,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """The value as a finite float.

    Args:
        value: A number of Python or numpy, or a tensor or array without axes.
        label: How errors call it.
        least: The smallest value that is allowed.
        most: The largest value that is allowed.
        above: What it must be larger than.
        below: What it must be smaller than.

    Raises:
        TypeError: If it is no number; True and False are none.
        ValueError: If it is not finite, or out of its bounds.

    Example:
        >>> import numpy as np
        >>> number(np.float32(0.5), "`weight`", least=0)
        0.5
    """
    real = _real(value, label, "a number")
    try:
        found = float(real)
    except OverflowError:
        found = math.inf
    if not _within(found, least, most, above, below):
        raise ValueError(f"{label} must {_rule(least, most, above, below)}, got {found}.")
    if not math.isfinite(found):
        raise ValueError(f"{label} must be finite, got {found}.")
    return found


def whole_number(value: Any, label: str, *, least: int | None = None, most: int | None = None) -> int:
    """The value as an int; 500.0 is a whole number, too.

    Args:
        value: A number of Python or numpy, or a tensor or array without axes.
        label: How errors call it.
        least: The smallest value that is allowed.
        most: The largest value that is allowed.

    Raises:
        TypeError: If it is no number; True and False are none.
        ValueError: If it has a fraction, or is out of its bounds.

    Example:
        >>> whole_number(np.int64(500), "`num_steps`", least=0)
        500
    """
    real = _real(value, label, "a whole number")
    if not isinstance(real, int) and (not math.isfinite(real) or real != int(real)):
        raise ValueError(f"{label} must be a whole number, got {real}.")
    found = int(real)
    if not _within(found, least, most, None, None):
        raise ValueError(f"{label} must {_rule(least, most, None, None)}, got {found}.")
    return found


def whole_numbers(
    values: Any, label: str, *, least: int | None = None, most: int | None = None
) -> tuple[int, ...]:
    """The values as ints.

    Args:
        values: A sequence of numbers, or an array or tensor with one axis.
        label: How errors call them.
        least: The smallest value that is allowed.
        most: The largest value that is allowed.

    Raises:
        TypeError: If it is no sequence, or one of them is no number.
        ValueError: If one has a fraction, or is out of its bounds.

    Example:
        >>> whole_numbers(np.array([128, 256]), "`edge_sizes`", least=1)
        (128, 256)
    """
    return tuple(
        whole_number(value, f"{label[:-1]}[{index}]`", least=least, most=most)
        for index, value in enumerate(_sequence(values, label, "a sequence of whole numbers"))
    )


def numbers(
    values: Any,
    label: str,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
) -> tuple[float, ...]:
    """The values as finite floats; see :func:`whole_numbers` and :func:`number`.

    Example:
        >>> numbers([1, np.float32(0.5)], "`style_weights`", least=0)
        (1.0, 0.5)
    """
    return tuple(
        number(value, f"{label[:-1]}[{index}]`", least=least, most=most, above=above)
        for index, value in enumerate(_sequence(values, label, "a sequence of numbers"))
    )


def interval(values: Any, label: str) -> tuple[float, float]:
    """The smallest and the largest value as floats.

    Raises:
        TypeError: If they are no numbers.
        ValueError: If they are not two, or not in order.

    Example:
        >>> interval((0, 1), "`bounds`")
        (0.0, 1.0)
    """
    found = numbers(values, label)
    if len(found) != 2 or not found[0] < found[1]:
        raise ValueError(
            f"{label} must be (smallest, largest) with smallest < largest, got "
            f"{tuple(round(value, 6) for value in found)}."
        )
    return found[0], found[1]


def pixel_size(values: Any, label: str, *, least: int = 1) -> tuple[int, int]:
    """The height and the width of an image.

    Raises:
        TypeError: If they are no numbers.
        ValueError: If they are not two, not whole or not positive.

    Example:
        >>> pixel_size(np.array([480, 640]), "`size`")
        (480, 640)
    """
    found = whole_numbers(values, label, least=least)
    if len(found) != 2:
        raise ValueError(f"{label} must be (height, width) in pixels, got {len(found)} numbers.")
    return found[0], found[1]


def seed_number(value: Any, label: str = "`seed`") -> int:
    """The seed of a generator.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not whole, or no seed of torch.

    Example:
        >>> seed_number(np.int64(3))
        3
    """
    return whole_number(value, label, least=-(2**63), most=2**64 - 1)


def is_number(value: object) -> TypeIs[int | float]:
    """Whether it is one number, as :func:`number` takes it, whatever its value."""
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, Tensor):
        return value.ndim == 0 and value.device.type != "meta" and str(value.dtype) != "torch.bool"
    return isinstance(value, Real) or (
        isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"
    )


def _sequence(values: Any, label: str, kind: str) -> Iterable[Any]:
    scalar = is_number(values) or (isinstance(values, Tensor | np.ndarray) and values.ndim == 0)
    if scalar or isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{label} must be {kind}, got {_described(values)}.")
    return values


def _real(value: Any, label: str, kind: str) -> Any:
    if not is_number(value) or (isinstance(value, Tensor) and value.is_complex()):
        raise TypeError(f"{label} must be {kind}, got {_described(value)}.")
    return value.item() if isinstance(value, Tensor | np.ndarray | np.generic) else value


def _described(value: object) -> str:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return repr(value)
        return f"the text {value!r}. Write it without quotes"
    if value is None or isinstance(value, bool | np.bool_ | Real):
        return str(value)
    if isinstance(value, Tensor | np.ndarray):
        return f"a {type(value).__name__} of the shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"


def _within(
    value: float, least: float | None, most: float | None, above: float | None, below: float | None
) -> bool:
    return (
        (least is None or value >= least)
        and (most is None or value <= most)
        and (above is None or value > above)
        and (below is None or value < below)
    )


def _rule(least: float | None, most: float | None, above: float | None, below: float | None) -> str:
    """The rule of a sentence, after "must"."""
    lower, upper = (above if least is None else least), (below if most is None else most)
    if lower is not None and upper is not None:
        return f"be in {'(' if least is None else '['}{lower:g}, {upper:g}{')' if most is None else ']'}"
    if lower is not None:
        if lower == 0:
            return "be positive" if least is None else "not be negative"
        return f"be above {lower:g}" if least is None else f"be at least {lower:g}"
    if upper is None:
        return "be a number"
    return f"be below {upper:g}" if most is None else f"be at most {upper:g}"
