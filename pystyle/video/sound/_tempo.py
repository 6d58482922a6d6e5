import numpy as np

from pystyle._arguments import number
from pystyle.video.sound._curve import Curve, Numbers
from pystyle.video.sound._onsets import spectral_flux
from pystyle.video.sound._sound import Sound

_SLOWEST, _FASTEST = 30.0, 300.0
_MULTIPLES = (2, 4, 8)


def tempo(sound: Sound, *, near: float = 120.0, window: float = 8.0, hop: float = 1.0) -> Curve:
    r"""How fast the beat of a sound is over time, in beats per minute.

    The time :math:`\tau` by which :func:`spectral_flux` is moved so that it is most like itself, weighted for
    usual tempi:

    .. math:: \operatorname{argmax}_\tau
              e^{-\frac{1}{2} (\log_2 (\tau_0 / \tau))^2} \sum_t F(t) F(t + \tau)

    Args:
        sound: The sound.
        near: The tempo that is meant by :math:`\tau_0`. A beat and its half or double differ in their weight
            alone: of clicks at 240 the tempo is 120 by default.
        window: The seconds that are looked at around each point, if the sound has as many.
        hop: The seconds from one point of the curve to the next.

    Returns:
        The curve, from 30 to 300; 0 where no beat is.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> import numpy as np
        >>> clicks = np.zeros(8000 * 4)
        >>> clicks[::4000] = 1
        >>> round(float(tempo(Sound(clicks, 8000)).at(2)), 1)
        120.0

    Note:
        A beat is rarely a whole number of the flux's 10 milliseconds: so the best time is looked for again
        around 2, 4 and 8 times of itself.

    References:
        Ellis, *Beat tracking by dynamic programming*, Journal of New Music Research 36, 2007. The weight is
        one octave wide, as in librosa's `tempo`.
    """
    near = number(near, "`near`", above=0)
    window, hop = number(window, "`window`", above=0), number(hop, "`hop`", above=0)
    flux = spectral_flux(sound)
    step = float(flux.times[1] - flux.times[0])
    length = max(2, round(window / step))
    times = sound.start + np.arange(int(sound.duration / hop) + 1) * hop
    values = []
    for time in times:
        middle = round((time - flux.times[0]) / step)
        first = max(0, min(middle - length // 2, len(flux.values) - length))
        values.append(_beats_per_minute(flux.values[first : first + length], step, near))
    return Curve(times, values, "beats per minute")


def _beats_per_minute(flux: Numbers, step: float, near: float) -> float:
    if not flux.any():
        return 0.0
    centred = flux - flux.mean()
    spectrum = np.fft.rfft(centred, 2 * len(flux))
    # A sum of products, so not below 0 by more than rounding where it counts.
    likeness = np.maximum(np.fft.irfft(np.abs(spectrum) ** 2)[: len(flux)], 0)
    shortest = int(np.ceil(60 / _FASTEST / step))
    lags = np.arange(shortest, min(int(60 / _SLOWEST / step) + 1, len(flux)))
    if not lags.size:
        return 0.0
    weights = np.exp(-0.5 * np.log2(60 / (lags * step) / near) ** 2)
    scores = likeness[lags] * weights
    if scores.max() <= 1e-9 * likeness[0]:
        return 0.0
    lag = int(lags[scores.argmax()])
    period = _centre(likeness, lag)
    for multiple in _MULTIPLES:
        around = round(multiple * period) + np.arange(-2, 3)
        if around[-1] + 1 >= len(flux):
            break
        peak = int(around[likeness[around].argmax()])
        if likeness[peak] < likeness[lag] / 4:
            break
        period = _centre(likeness, peak) / multiple
    return float(60 / (period * step))


def _centre(likeness: Numbers, lag: int) -> float:
    """Where a peak is, between whole numbers too."""
    around = np.arange(lag - 1, min(lag + 2, len(likeness)))
    return float((around * likeness[around]).sum() / likeness[around].sum())
