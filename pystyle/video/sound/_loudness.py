import numpy as np

from pystyle._arguments import interval
from pystyle.video.sound._curve import Curve
from pystyle.video.sound._sound import Sound
from pystyle.video.sound._windows import parts_of, windows_of

_SILENCE = 1e-30
"""A mean square that is silence at any floor: the square of a float32 can be smaller still."""


def loudness(
    sound: Sound, *, floor: float = -41.0, ceiling: float = -14.0, window: float = 0.1, hop: float = 0.01
) -> Curve:
    r"""How loud a sound is over time, in [0, 1].

    The root of the mean square over a window, in decibel: 0 at the floor and below, 1 from the ceiling on.

    .. math:: \frac{20 \log_{10} \operatorname{rms} - \text{floor}}{\text{ceiling} - \text{floor}}

    So the double amplitude is 6.02 / (`ceiling` - `floor`) more, 0.223 by default.

    Args:
        sound: The sound.
        floor: What is silence, in decibel below the full scale; a sine of amplitude 1 has -3.01.
        ceiling: What is as loud as it gets.
        window: The length of the window, in seconds.
        hop: The seconds from one point of the curve to the next.

    Returns:
        The curve, exactly 0 before the sound and after it.

    Raises:
        ValueError: If `floor` is not below `ceiling`, or a time is shorter than a sample.

    Example:
        >>> import numpy as np
        >>> tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)      # -23.01 decibel
        >>> round(float(loudness(Sound(tone, 8000)).at(0.5)), 3)
        0.666

    Note:
        The floor and the ceiling are the ends of the scale "EBU +9" of loudness meters: -18 and +9 around
        -23. Meters weight frequencies as ears do, by ITU-R BS.1770; here all count alike. The window is
        ours.

    References:
        EBU Tech 3341, *Loudness metering: "EBU mode" metering*.
    """
    floor, ceiling = interval((floor, ceiling), "`(floor, ceiling)`")
    windows = windows_of(sound, window, hop)
    squares = np.concatenate([np.square(part, dtype=np.float64).mean(1) for part in parts_of(sound, windows)])
    decibel = 10 * np.log10(np.maximum(squares, _SILENCE))
    return Curve(windows.times, decibel).scaled(floor, ceiling)
