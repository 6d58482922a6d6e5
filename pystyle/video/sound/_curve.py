from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pystyle._arguments import interval, number

Numbers = NDArray[np.float64]
"""Times, or values at them."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Curve:
    """A value over time, or several: straight lines between points.

    Before the first point it is as there, and after the last.

    Args:
        times: The times of the points, in seconds, each later than the one before.
        values: The values there.
        unit: What they are measured in. Those in [0, 1], which control a painter, have none.

    Attributes:
        times: The times.
        values: The values.
        unit: Their unit.

    Raises:
        ValueError: If there are no points, they are not in order, a number is not finite, or there are not
            as many values as times.

    Shape:
        - times: (points)
        - values: (points) or (points, values at a time)

    Example:
        >>> fade = Curve([0, 10], [0, 1])
        >>> fade.at([2.5, 20]).tolist()
        [0.25, 1.0]
    """

    times: Numbers
    values: Numbers
    unit: str = ""

    def __init__(self, times: ArrayLike, values: ArrayLike, unit: str = "") -> None:
        object.__setattr__(self, "times", _own(times, "`times`"))
        object.__setattr__(self, "values", _own(values, "`values`"))
        object.__setattr__(self, "unit", str(unit))
        if self.times.ndim != 1 or not self.times.size or not (np.diff(self.times) > 0).all():
            raise ValueError("`times` must be a sequence of numbers, each larger than the one before.")
        if self.values.ndim not in (1, 2) or len(self.values) != len(self.times) or not self.values.size:
            raise ValueError(
                f"`values` must have a row for each of the {len(self.times)} times, got the shape "
                f"{self.values.shape}."
            )

    def __repr__(self) -> str:
        several = f", {self.values.shape[1]} at a time" if self.values.ndim == 2 else ""
        unit = f", in {self.unit}" if self.unit else ""
        return f"Curve({self.times[0]:g} s to {self.times[-1]:g} s{several}{unit})"

    def at(self, times: ArrayLike) -> Numbers:
        """The values at a time or at several.

        Args:
            times: Times in seconds, an array of any shape.

        Returns:
            The values, float64.

        Shape:
            - output: that of the times, and behind it the values at a time if there are several
        """
        found = np.asarray(times, np.float64)
        if self.values.ndim == 1:
            single: Numbers = np.interp(found, self.times, self.values)
            return single
        columns = [np.interp(found, self.times, column) for column in self.values.T]
        several: Numbers = np.stack(columns, -1)
        return several

    def smoothed(self, seconds: float) -> "Curve":
        """The mean over a window around each time, so that nothing comes later than it was.

        Args:
            seconds: The length of the window; 0 leaves the curve as it is.

        Returns:
            The curve. What sums to 1 does so still, and no value is beyond those that there were.

        Raises:
            ValueError: If `seconds` is negative.
        """
        seconds = number(seconds, "`seconds`", least=0)
        if not seconds:
            return self
        half = seconds / 2
        # A mean over a window bends where the window reaches a point or leaves it.
        times = np.unique(np.concatenate([self.times - half, self.times, self.times + half]))
        means = (self._integral(times + half) - self._integral(times - half)) / seconds
        lowest, highest = self.values.min(0), self.values.max(0)
        return Curve(
            times, np.clip(means.T.reshape(len(times), *self.values.shape[1:]), lowest, highest), self.unit
        )

    def scaled(self, least: float, most: float, *, logarithmic: bool = False) -> "Curve":
        """The curve in [0, 1]: 0 where it is `least` or below, 1 from `most` on.

        Args:
            least: What becomes 0.
            most: What becomes 1.
            logarithmic: Equal ratios become equal steps, as for pitches.

        Returns:
            The curve, without a unit.

        Raises:
            ValueError: If `least` is not below `most`, or not positive for logarithms.
        """
        least, most = interval((least, most), "`(least, most)`")
        values = self.values
        if logarithmic:
            least, most = np.log2(number(least, "`least`", above=0)), np.log2(most)
            # What is not positive has no logarithm, and lies below all that has.
            values = np.log2(np.maximum(values, 2.0**least))
        return Curve(self.times, np.clip((values - least) / (most - least), 0, 1))

    def _integral(self, times: Numbers) -> Numbers:
        """The integral from the first point to each of some times, one row for each value at a time."""
        steps = np.diff(self.times)
        rows = []
        for column in np.atleast_2d(self.values.T):
            sums = np.concatenate([[0.0], np.cumsum((column[1:] + column[:-1]) / 2 * steps)])
            index = np.clip(np.searchsorted(self.times, times, "right") - 1, 0, len(column) - 1)
            mean = (column[index] + np.interp(times, self.times, column)) / 2
            rows.append(sums[index] + mean * (times - self.times[index]))
        return np.stack(rows)


def _own(numbers: ArrayLike, label: str) -> Numbers:
    found = np.array(numbers, np.float64)
    if not np.isfinite(found).all():
        raise ValueError(f"{label} must be finite, and some are not.")
    found.flags.writeable = False
    return found
