import math

import numpy as np
from numpy.typing import NDArray

from pystyle.video.sound._curve import Numbers

_PER_DECAY = 20
"""Points of a curve in the seconds in which it falls to 37 %: straight lines are within 0.04 % of it."""

_LOWEST = 1 / 512
"""What is below it is 0: half of a level in a picture."""


def decays(starts: Numbers, decay: float, origin: float) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
    """The points of a curve that jumps to 1 at some times and falls from there.

    Args:
        starts: The times, in order.
        decay: The seconds in which it falls to 37 %.
        origin: The time of a point that is there even if nothing starts.

    Returns:
        The times of the points, the values, and which of the starts came last, -1 before the first.
    """
    length = math.ceil(-math.log(_LOWEST) * _PER_DECAY)
    steps = np.arange(length + 1) * (decay / _PER_DECAY)
    just_before = np.nextafter(starts, -np.inf)
    falling = (starts[:, None] + steps).ravel()
    after = starts + (length + 1) * (decay / _PER_DECAY)
    times = np.unique(np.concatenate([starts, just_before, falling, after, [origin]]))
    last = np.searchsorted(starts, times, "right") - 1
    since = times - starts[np.maximum(last, 0)] if len(starts) else times
    values = np.exp(-np.maximum(since, 0) / decay)
    values[(last < 0) | (values < _LOWEST)] = 0
    return times, values, last
