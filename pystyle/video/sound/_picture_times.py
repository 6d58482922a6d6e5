import math
from fractions import Fraction

from pystyle.video._rate import exact_rate
from pystyle.video.sound._sound import Sound


def picture_times(sound: Sound, rate: float | Fraction) -> tuple[Fraction, ...]:
    """The times of the frames of a clip of a still photograph that is as long as a sound.

    Args:
        sound: The sound.
        rate: Frames per second: a number, or a fraction such as 30000/1001.

    Returns:
        The times in seconds: the first is 0, the last before the end of the sound, which is over no later
        than the last frame.

    Raises:
        ValueError: If the rate is not positive.

    Example:
        >>> import numpy as np
        >>> [str(time) for time in picture_times(Sound(np.zeros(9000), 8000), 4)]
        ['0', '1/4', '1/2', '3/4', '1']
    """
    exact = exact_rate(rate)
    end = Fraction(sound.start).limit_denominator(10**6) + Fraction(len(sound.samples), sound.rate)
    return tuple(index / exact for index in range(max(1, math.ceil(end * exact))))
