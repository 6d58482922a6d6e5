"""When something new begins to sound."""

import math

import numpy as np

from pystyle._arguments import number
from pystyle.video.sound._attack import attack
from pystyle.video.sound._curve import Curve, Numbers
from pystyle.video.sound._decay import decays
from pystyle.video.sound._sound import Sound
from pystyle.video.sound._windows import Windows, frequencies_of, magnitudes_of, windows_of

_WINDOW, _HOP = 2048 / 44100, 0.01
_FULL_SCALE = 512
"""What a sine of amplitude 1 has under the published window, whose samples are summed and not averaged."""

_RATIO = 2
_LEAST, _MOST = 30.0, 17000.0
_BEFORE, _AFTER, _AVERAGE, _APART = 1, 5, 15, 3
"""In hops: where a peak is the highest, what it is compared with, and how near the next one may be."""


def spectral_flux(sound: Sound) -> Curve:
    r"""How much the spectrum of a sound grows from one moment to the next.

    .. math:: \sum_b \max(0, \log_{10}(1 + M_b(t)) - \log_{10}(1 + M_b(t - 10 \text{ms})))

    :math:`M_b` is the magnitude in a band, a semitone wide, in windows of 46 milliseconds.

    Args:
        sound: The sound.

    Returns:
        The curve, in the units of the formula, every 10 milliseconds; 0 where all fades or is as it was.

    Example:
        >>> import numpy as np
        >>> click = np.zeros(8000)
        >>> click[4000] = 1
        >>> flux = spectral_flux(Sound(click, 8000))
        >>> float(flux.at(0.2)), bool(flux.at([0.48, 0.49, 0.5]).max() > 1.6)
        (0.0, True)

    References:
        Böck, Krebs and Schedl, *Evaluating the online capabilities of onset detection methods*, ISMIR 2012,
        with the constants of the authors' program LogFiltSpecFlux in madmom.
    """
    flux, windows = _flux(sound)
    return Curve(windows.times, flux, "flux")


def onset_times(sound: Sound, *, threshold: float = 1.6) -> Numbers:
    """The times at which something begins to sound: notes, beats, words.

    A peak of :func:`spectral_flux` that is the highest from 10 milliseconds before to 50 after it, and lies
    above the mean of the 150 before it by the threshold; none within 30 milliseconds of another.

    Args:
        sound: The sound.
        threshold: How far a peak must rise; less finds softer beginnings, and more that are none.

    Returns:
        The times in seconds, in order, on the clock of the sound.

    Raises:
        ValueError: If the threshold is not positive.

    Example:
        >>> import numpy as np
        >>> click = np.zeros(8000)
        >>> click[[2000, 6000]] = 1
        >>> onset_times(Sound(click, 8000)).tolist()
        [0.25, 0.75]

    Note:
        Three departures. The flux tells a time to half a window; so what is given is where, within this
        window, the energy of 5 milliseconds grows most over that of the 5 before. A peak after which the
        sound is gone does not count: where a tone is cut off the spectrum widens, and nothing begins. And a
        peak is at least twice the mean: else loud noise, however steady, begins four times a second.

    References:
        Böck, Krebs and Schedl, *Evaluating the online capabilities of onset detection methods*, ISMIR 2012.
    """
    threshold = number(threshold, "`threshold`", above=0)
    flux, windows = _flux(sound)
    padded = np.pad(flux, (_AVERAGE, _AFTER))
    view = np.lib.stride_tricks.sliding_window_view
    highest = view(padded[_AVERAGE - _BEFORE :], _BEFORE + _AFTER + 1).max(1)
    mean = view(padded[: len(flux) + _AVERAGE], _AVERAGE + 1).mean(1)
    times = list[float]()
    for peak in np.flatnonzero((flux >= highest) & (flux >= mean + threshold) & (flux >= _RATIO * mean)):
        time = attack(sound, windows, int(peak))
        if time is not None and (not times or time - times[-1] > _APART * _HOP):
            times.append(time)
    return np.array(times, np.float64)


def onsets(sound: Sound, *, decay: float = 0.2, threshold: float = 1.6) -> Curve:
    """The beginnings in a sound as a curve: 1 at each, and falling to 0 until the next.

    Args:
        sound: The sound.
        decay: The seconds in which it falls to 37 %, as `exp(-seconds / decay)`.
        threshold: As :func:`onset_times` has it.

    Returns:
        The curve, in [0, 1]; 0 before the first beginning.

    Raises:
        ValueError: If an argument is not positive.

    Example:
        >>> import numpy as np
        >>> click = np.zeros(8000)
        >>> click[4000] = 1
        >>> onsets(Sound(click, 8000), decay=0.1).at([0.49, 0.5, 0.6]).round(2).tolist()
        [0.0, 1.0, 0.37]
    """
    decay = number(decay, "`decay`", above=0)
    times, values, _ = decays(onset_times(sound, threshold=threshold), decay, sound.start)
    return Curve(times, values)


def _flux(sound: Sound) -> tuple[Numbers, Windows]:
    windows = windows_of(sound, _WINDOW, _HOP)
    bands = _semitones(frequencies_of(sound, windows))
    levels = [np.log10(1 + _FULL_SCALE * found @ bands) for found in magnitudes_of(sound, windows)]
    growth = np.maximum(np.diff(np.concatenate(levels), axis=0), 0).sum(1)
    return np.pad(growth, (1, 0)), windows


def _semitones(frequencies: Numbers) -> Numbers:
    """Triangles from semitone to semitone; low ones, nearer to each other than frequencies, are one.

    Shape:
        - output: (frequencies, bands)
    """
    first, last = (math.ceil(12 * math.log2(_LEAST / 440)), math.floor(12 * math.log2(_MOST / 440)))
    pitches = 440 * 2 ** (np.arange(first, last + 1) / 12)
    bins = np.unique(np.round(pitches[pitches <= frequencies[-1]] / frequencies[1]).astype(int))
    index = np.arange(len(frequencies))
    corners = zip(bins[:-2], bins[1:-1], bins[2:], strict=True)
    bands = [np.interp(index, corner, [0, 1, 0]) for corner in corners]
    return np.stack(bands, 1) if bands else np.ones((len(frequencies), 1))
