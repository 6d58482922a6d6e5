import numpy as np

from pystyle._arguments import number
from pystyle.video.sound._curve import Curve, Numbers
from pystyle.video.sound._sound import Sound
from pystyle.video.sound._windows import frequencies_of, magnitudes_of, parts_of, windows_of


def spectral_centroid(
    sound: Sound, *, floor: float = -60.0, window: float = 0.05, hop: float = 0.01
) -> Curve:
    r"""How bright a sound is over time: the mean of its frequencies, in Hz.

    .. math:: \frac{\sum_k f_k |X_k|}{\sum_k |X_k|}

    :math:`|X_k|` is the magnitude at the frequency :math:`f_k`, under the window of Hann.
    ``.scaled(200, 5000, logarithmic=True)`` brings the curve to [0, 1], octaves as equal steps.

    Args:
        sound: The sound.
        floor: Windows whose root of the mean square is below it, in decibel below the full scale, are silent.
        window: The length of the window, in seconds.
        hop: The seconds from one point of the curve to the next.

    Returns:
        The curve. Silence has no frequencies: there it goes straight from the last to the next that has; it
        is 0 if there is nothing else.

    Raises:
        ValueError: If a time is shorter than a sample.

    Example:
        >>> import numpy as np
        >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
        >>> round(float(spectral_centroid(Sound(tone, 8000)).at(0.5)))
        440

    References:
        Grey and Gordon, *Perceptual effects of spectral modifications on musical timbres*, Journal of the
        Acoustical Society of America 63, 1978: the mean of the frequencies goes with brightness.
    """
    quiet = 10 ** (number(floor, "`floor`") / 10)
    windows = windows_of(sound, window, hop)
    frequencies = frequencies_of(sound, windows)
    centroids, loud = list[Numbers](), list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]()
    for part, magnitudes in zip(parts_of(sound, windows), magnitudes_of(sound, windows), strict=True):
        sums = magnitudes.sum(1)
        loud.append((np.square(part, dtype=np.float64).mean(1) >= quiet) & (sums > 0))
        centroids.append(magnitudes @ frequencies / np.where(sums > 0, sums, 1))
    heard, values = np.concatenate(loud), np.concatenate(centroids)
    if not heard.any():
        return Curve(windows.times, np.zeros(len(values)), "Hz")
    known = Curve(windows.times[heard], values[heard], "Hz")
    return Curve(windows.times, known.at(windows.times), "Hz")
