import numpy as np

from pystyle._arguments import interval, number
from pystyle.video.sound._curve import Curve
from pystyle.video.sound._sound import Sound
from pystyle.video.sound._windows import frequencies_of, magnitudes_of, windows_of

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""The names of the twelve values of :func:`chroma`, in order."""

_SILENCE = 1e-10
"""A power that is silence: -100 decibel below a sine of amplitude 1."""


def chroma(
    sound: Sound,
    *,
    tuning: float = 440.0,
    least: float = 110.0,
    most: float = 3520.0,
    window: float = 0.4,
    hop: float = 0.05,
) -> Curve:
    """Which of the twelve pitches sound over time, in whatever octave: twelve values in [0, 1].

    The powers of all frequencies that are nearest to a pitch or to its octaves are summed; the strongest
    pitch is 1.

    Args:
        sound: The sound.
        tuning: The frequency of the A above the middle C, in Hz.
        least: The lowest frequency that counts. Below 90 Hz a window of 0.4 seconds cannot tell
            neighbouring pitches.
        most: The highest frequency that counts.
        window: The length of the window, in seconds.
        hop: The seconds from one point of the curve to the next.

    Returns:
        The curve, with 12 values at a time, from C to B as in :data:`PITCHES`; 0 in silence.

    Raises:
        ValueError: If `least` is not positive or not below `most`, or a time is shorter than a sample.

    Example:
        >>> import numpy as np
        >>> time = np.arange(8000) / 8000
        >>> fifth = np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 659.26 * time)       # A and E
        >>> values = chroma(Sound(fifth / 2, 8000)).at(0.5)
        >>> [name for name, value in zip(PITCHES, values) if value > 0.5]
        ['E', 'A']

    References:
        Fujishima, *Realtime chord recognition of musical sound: a system using Common Lisp Music*, ICMC
        1999: the pitch class profile. The range of frequencies and the division by the strongest are ours.
    """
    tuning, least = number(tuning, "`tuning`", above=0), number(least, "`least`", above=0)
    least, most = interval((least, most), "`(least, most)`")
    windows = windows_of(sound, window, hop)
    frequencies = frequencies_of(sound, windows)
    used = (frequencies >= least) & (frequencies <= most)
    # Semitones above the A, which is the tenth of the pitches.
    pitches = (np.round(12 * np.log2(frequencies[used] / tuning)).astype(int) + 9) % 12
    members = (pitches[:, None] == np.arange(12)).astype(np.float64)
    powers = np.concatenate(
        [np.square(magnitudes[:, used]) @ members for magnitudes in magnitudes_of(sound, windows)]
    )
    strongest = powers.max(1, keepdims=True)
    heard = strongest > _SILENCE
    return Curve(windows.times, np.where(heard, powers / np.where(heard, strongest, 1), 0))
