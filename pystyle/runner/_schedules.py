"""Factors of weights that change during a run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pystyle._arguments import check_mapping, described, is_number, number
from pystyle.typing import Schedule


@dataclass(frozen=True)
class LinearSchedule:
    """A factor that goes from one value to another in a straight line.

    Args:
        start: The factor at `begin` and before.
        stop: The factor at `end` and after.
        begin: The fraction of the run at which it begins to change.
        end: The fraction of the run from which on it is constant.

    Raises:
        ValueError: If the factors are not finite or negative, or the fractions are not in order.

    Example:
        >>> schedule = LinearSchedule(1.0, 0.2, end=0.5)
        >>> [round(schedule(fraction), 3) for fraction in (0, 0.25, 0.5, 1)]
        [1.0, 0.6, 0.2, 0.2]
    """

    start: float
    stop: float
    begin: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "stop", "begin", "end"):
            object.__setattr__(self, name, number(getattr(self, name), f"`{name}`", least=0))
        _check(self.begin, self.end)

    def __call__(self, fraction: float) -> float:
        """The factor after this fraction of the run."""
        share = _share(fraction, self.begin, self.end)
        return (1 - share) * self.start + share * self.stop


@dataclass(frozen=True)
class InverseSchedule:
    r"""A factor that falls from 1 as the inverse of the fraction of the run: fast at first, then slowly.

    .. math:: \frac{1}{1 + \delta x}

    Args:
        decay: The number :math:`\delta`. A decay per step, as published trainings have it, is multiplied by
            the number of steps.

    Raises:
        ValueError: If the decay is negative or not finite.

    Example:
        >>> schedule = InverseSchedule(5e-5 * 160_000)
        >>> [round(schedule(fraction), 3) for fraction in (0, 0.5, 1)]
        [1.0, 0.2, 0.111]
    """

    decay: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "decay", number(self.decay, "`decay`", least=0))

    def __call__(self, fraction: float) -> float:
        """The factor after this fraction of the run."""
        return 1 / (1 + self.decay * fraction)


@dataclass(frozen=True)
class CosineSchedule:
    """A factor that goes from one value to another along half a wave, level at both ends.

    Args:
        start: The factor at `begin` and before.
        stop: The factor at `end` and after.
        begin: The fraction of the run at which it begins to change.
        end: The fraction of the run from which on it is constant.

    Raises:
        ValueError: If the factors are not finite or negative, or the fractions are not in order.

    Example:
        >>> schedule = CosineSchedule(1.0, 0.0)
        >>> [round(schedule(fraction), 3) for fraction in (0, 0.25, 0.5, 1)]
        [1.0, 0.854, 0.5, 0.0]
    """

    start: float
    stop: float
    begin: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "stop", "begin", "end"):
            object.__setattr__(self, name, number(getattr(self, name), f"`{name}`", least=0))
        _check(self.begin, self.end)

    def __call__(self, fraction: float) -> float:
        """The factor after this fraction of the run."""
        share = (1 - math.cos(math.pi * _share(fraction, self.begin, self.end))) / 2
        return (1 - share) * self.start + share * self.stop


def factors_of_steps(schedules: Mapping[str, Schedule], num_steps: int) -> dict[str, list[float]]:
    """The factors of every step by the name of the loss, at least one for each.

    Raises:
        TypeError: If one is no schedule, or gives no number.
        ValueError: If a factor is negative or not finite.
    """
    last = max(num_steps - 1, 1)
    return {
        name: [factor_after(schedule, index / last, _label(name)) for index in range(max(num_steps, 1))]
        for name, schedule in checked_schedules(schedules).items()
    }


def checked_schedules(schedules: Any) -> dict[str, Schedule]:
    """The schedules by the names of the losses, none of which has been called yet.

    Raises:
        TypeError: If they have no names, or one is no schedule.
    """
    check_mapping(schedules, "`schedules`", '{"style": CosineSchedule(1.0, 0.2)}')
    return {name: checked_schedule(schedule, _label(name)) for name, schedule in schedules.items()}


def checked_schedule(schedule: Any, label: str, *, course: str = "run") -> Schedule:
    """The schedule; `label` and `course` say in errors which it is, and of what.

    Raises:
        TypeError: If it is no function, or makes something of an optimizer, as the schedulers of torch do.
    """
    made = schedule.func if isinstance(schedule, partial) else schedule
    if isinstance(made, type) or not callable(schedule):
        raise TypeError(
            f"{label} must be a function from the fraction of the {course} to a factor, got "
            f"{described(made)}. Schedulers of torch do not fit; write `CosineSchedule(1.0, 0.01)`, or a "
            "function such as `lambda fraction: 1 - fraction`."
        )
    found: Schedule = schedule
    return found


def factor_after(schedule: Schedule, fraction: float, label: str, *, course: str = "run") -> float:
    """The factor after this fraction.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is negative or not finite.
    """
    factor: Any = schedule(fraction)
    # A comparison switches a loss on and off.
    if not is_number(factor) and not isinstance(factor, bool):
        raise TypeError(
            f"{label} must give a number, got {described(factor)} at the fraction {fraction:g} of the "
            f"{course}. Write `lambda fraction: 1 - fraction`, say."
        )
    if not 0 <= float(factor) < math.inf:
        raise ValueError(
            f"{label} must give factors that are finite and not negative, got {float(factor)} at the "
            f"fraction {fraction:g} of the {course}. Give it other values there."
        )
    return float(factor)


def _label(name: str) -> str:
    return f"`schedules[{name!r}]`"


def _share(fraction: float, begin: float, end: float) -> float:
    return min(max((fraction - begin) / (end - begin), 0.0), 1.0)


def _check(begin: float, end: float) -> None:
    if not 0 <= begin < end <= 1:
        raise ValueError(
            f"`begin` and `end` must be fractions of the run with begin < end, got {begin:g} and {end:g}. "
            "0 is the first step, 1 the last."
        )
