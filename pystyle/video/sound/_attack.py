import numpy as np

from pystyle.video.sound._curve import Numbers
from pystyle.video.sound._sound import Sound
from pystyle.video.sound._windows import Windows

_SHORT = 0.005
"""Seconds whose energy is compared."""


def attack(sound: Sound, windows: Windows, peak: int) -> float | None:
    """The time near a peak of the flux at which the energy grows most; None if the sound only ends there.

    Args:
        sound: The sound.
        windows: The windows of the flux.
        peak: The number of the window that differs from the one before. What is new in it lies in its later
            half, or a hop beside it.
    """
    centre, half = peak * windows.hop - windows.before, windows.length // 2
    short = max(1, round(_SHORT * sound.rate))
    begin = centre - half - short
    energy = _energies(sound, begin, centre + 2 * half, short)
    # What begins grows above what was before, or is still there when the window has gone on.
    before = energy[: centre - short - begin].max(initial=0)
    meanwhile = energy[centre - begin : centre + half - begin].max(initial=0)
    after = energy[centre + half - begin :].max(initial=0)
    if meanwhile < 2 * before and after < before / 2:
        return None
    first = max(0, centre - windows.hop)
    last = max(first, min(len(sound.samples), centre + half + windows.hop))
    # From nothing to next to nothing is no growth to speak of.
    level = np.log(energy + 1e-3 * energy.max() + 1e-30)
    places = np.arange(first, last + 1) - begin
    growth = level[places] - level[places - short]
    # A click is in all windows that hold it; it is where the last of them begins.
    place = np.flatnonzero(growth >= growth.max() - 1e-9)[-1]
    return float(sound.start + (first + place) / sound.rate)


def _energies(sound: Sound, first: int, last: int, length: int) -> Numbers:
    """The sums of squares over `length` samples from each of `first` to `last` on; silence is all around."""
    index = np.arange(first, last + length)
    inside = (index >= 0) & (index < len(sound.samples))
    squares = np.where(inside, np.square(sound.samples[index * inside], dtype=np.float64), 0)
    sums = np.concatenate([[0.0], np.cumsum(squares)])
    energies: Numbers = sums[length:] - sums[:-length]
    return energies
