"""A sound seen through windows that follow each other."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pystyle._arguments import number
from pystyle.video.sound._curve import Numbers
from pystyle.video.sound._sound import Sound

_AT_ONCE = 2**20
"""Numbers that are looked at in one go, so that memory does not grow with the sound."""


class Windows(NamedTuple):
    """Where windows lie.

    Attributes:
        length: The samples of a window.
        hop: The samples from one to the next.
        before: The samples of silence in front of the sound that the first one sees.
        times: The times of their centres, in seconds.
    """

    length: int
    hop: int
    before: int
    times: Numbers


def windows_of(sound: Sound, window: float, hop: float) -> Windows:
    """Windows over all of the sound: the first and the last see silence alone.

    Raises:
        ValueError: If `window` or `hop` is shorter than a sample.
    """
    length = round(number(window, "`window`", above=0) * sound.rate)
    step = round(number(hop, "`hop`", above=0) * sound.rate)
    for samples, label, seconds in ((length, "`window`", window), (step, "`hop`", hop)):
        if samples < 1:
            raise ValueError(
                f"{label} must be at least one sample, {1 / sound.rate:g} seconds, got {float(seconds):g}."
            )
    before = -(-length // (2 * step)) * step
    count = -(-(before + len(sound.samples) + (length + 1) // 2) // step) + 1
    times = sound.start + (np.arange(count) * step - before) / sound.rate
    return Windows(length, step, before, times)


def parts_of(sound: Sound, windows: Windows) -> Iterator[NDArray[np.float32]]:
    """The samples in the windows, many windows at a time.

    Shape:
        - output: (windows, samples of a window)
    """
    count, at_once = len(windows.times), max(1, _AT_ONCE // windows.length)
    for first in range(0, count, at_once):
        last = min(first + at_once, count) - 1
        begin = first * windows.hop - windows.before - windows.length // 2
        end = last * windows.hop - windows.before - windows.length // 2 + windows.length
        inside = sound.samples[max(begin, 0) : max(end, 0)]
        front = min(max(-begin, 0), end - begin)
        padded = np.pad(inside, (front, end - begin - front - len(inside)))
        yield np.lib.stride_tricks.sliding_window_view(padded, windows.length)[:: windows.hop]


def magnitudes_of(sound: Sound, windows: Windows) -> Iterator[Numbers]:
    """How much of each frequency is in the windows, under the window of Hann: a sine of amplitude 1 gives 1.

    Shape:
        - output: (windows, frequencies)
    """
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(windows.length) + 0.5) / windows.length)
    for part in parts_of(sound, windows):
        yield np.abs(np.fft.rfft(part * hann, axis=1)) * (2 / hann.sum())


def frequencies_of(sound: Sound, windows: Windows) -> Numbers:
    """The frequencies of :func:`magnitudes_of`, in Hz."""
    return np.arange(windows.length // 2 + 1, dtype=np.float64) * (sound.rate / windows.length)
