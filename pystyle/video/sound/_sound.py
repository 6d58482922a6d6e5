from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pystyle._arguments import number, whole_number

Samples = NDArray[np.float32]
"""The samples of one channel."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Sound:
    """A sound of one channel.

    Several channels become their mean. What the samples are is kept in float32.

    Args:
        samples: The samples; 1 is the full scale.
        rate: Samples per second.
        start: The time of the first sample, in seconds.

    Attributes:
        samples: The samples of the one channel.
        rate: Samples per second.
        start: The time of the first sample, in seconds, on the clock of the pictures that belong to it.

    Raises:
        ValueError: If there are no samples, one is not finite, they have another shape, or `rate` is not
            positive.
        TypeError: If the samples are no floating-point numbers.

    Shape:
        - samples: (samples) or (channels, samples)

    Example:
        >>> import numpy as np
        >>> tone = Sound(0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 8000), 8000)
        >>> tone
        Sound(2 s at 8000 Hz)
        >>> tone.duration
        2.0
    """

    samples: Samples
    rate: int
    start: float = 0.0

    def __init__(self, samples: ArrayLike, rate: int, start: float = 0.0) -> None:
        # A frozen dataclass is set by way of its base.
        object.__setattr__(self, "samples", _checked(samples))
        object.__setattr__(self, "rate", whole_number(rate, "`rate`", least=1))
        object.__setattr__(self, "start", number(start, "`start`"))

    def __repr__(self) -> str:
        start = f" from {self.start:g} s" if self.start else ""
        return f"Sound({self.duration:g} s at {self.rate} Hz{start})"

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return len(self.samples) / self.rate

    @property
    def end(self) -> float:
        """The time at which it is over, in seconds."""
        return self.start + self.duration


def _checked(samples: ArrayLike) -> Samples:
    found = np.asarray(samples)
    if found.dtype.kind != "f":
        raise TypeError(
            f"`samples` must be floating-point numbers with 1 as the full scale, got {found.dtype}. Divide "
            "whole numbers by their largest one, such as 32768."
        )
    if found.ndim not in (1, 2) or (found.ndim == 2 and found.shape[0] > found.shape[1]):
        hint = " Channels come first: `samples.T`." if found.ndim == 2 else ""
        raise ValueError(
            f"`samples` must have the shape (samples) or (channels, samples), got {found.shape}.{hint}"
        )
    if not found.size:
        raise ValueError(f"`samples` must have at least one sample, got the shape {found.shape}.")
    if not np.isfinite(found).all():
        raise ValueError("`samples` must be finite, and some are not.")
    mono = found.mean(0, dtype=np.float64) if found.ndim == 2 else found
    own: Samples = np.array(mono, np.float32)
    own.flags.writeable = False
    return own
