"""Factors of weights that change during a run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pystyle._arguments import number
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
        ValueError: If one is negative or not finite.
    """
    last = max(num_steps - 1, 1)
    return {
        name: [_factor(name, schedule, index / last) for index in range(max(num_steps, 1))]
        for name, schedule in schedules.items()
    }


def _factor(name: str, schedule: Schedule, fraction: float) -> float:
    factor = float(schedule(fraction))
    if not 0 <= factor < math.inf:
        raise ValueError(
            f"`schedules[{name!r}]` must give factors that are finite and not negative, got {factor} at the "
            f"fraction {fraction:g} of the run. Give it other values there."
        )
    return factor


def _share(fraction: float, begin: float, end: float) -> float:
    return min(max((fraction - begin) / (end - begin), 0.0), 1.0)


def _check(begin: float, end: float) -> None:
    if not 0 <= begin < end <= 1:
        raise ValueError(
            f"`begin` and `end` must be fractions of the run with begin < end, got {begin:g} and {end:g}. "
            "0 is the first step, 1 the last."
        )
