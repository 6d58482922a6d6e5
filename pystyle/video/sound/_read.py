"""Sounds from files. PyAV is imported when one is read."""

import os
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from pystyle.video._sound_error import SoundReadError
from pystyle.video._sound_file import name_of, open_sound, reading_sound
from pystyle.video.sound._sound import Samples, Sound

_LOOSE = 0.02
"""Seconds by which time stamps may be off before they count: some containers round them to milliseconds."""

_LONGEST_GAP = 3600.0
"""Seconds. A longer one is a damaged time stamp, and would fill the memory with silence."""


def read_sound(source: str | os.PathLike[str]) -> Sound:
    """Returns the sound of an audio file, or the sound track of a clip.

    It is decoded frame by frame; what is kept is the mean of the channels, 12 MB a minute at 48 kHz. Where
    time stamps leave a gap there is silence. The time 0 is where the first of the tracks begins, as for the
    frames of :func:`pystyle.video.read_clip`: a sound that sets in later than the pictures starts later.

    Args:
        source: Path of the file, in any format that FFmpeg reads; of several sound tracks the first.

    Returns:
        The sound.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        SoundReadError: The file is missing, has no sound track, or cannot be decoded.

    Example:
        >>> read_sound("song.flac")  # doctest: +SKIP
        Sound(214.2 s at 44100 Hz)

    Note:
        Channels are averaged, those of surround sound too; a low-frequency one counts as any other.
    """
    container, start = open_sound(source)
    name = name_of(source)
    with container, reading_sound(name):
        return _joined(container.decode(container.streams.audio[0]), start, name)


def _joined(frames: Iterable[Any], beginning: Fraction, path: str) -> Sound:
    """One sound of frames with time stamps."""
    # One piece of memory that grows: a list of pieces, joined in the end, would be there twice.
    joined, rate, start = bytearray(), 0, 0.0
    for frame in frames:
        samples = _mono(frame)
        count = len(joined) // samples.itemsize
        if not rate:
            rate, start = frame.sample_rate, float(beginning if frame.time is None else frame.time)
        if frame.sample_rate != rate:
            raise SoundReadError(
                f"Cannot read the sound '{path}': its rate changes from {rate} to {frame.sample_rate} Hz."
            )
        # How much later the frame begins than those before it end; less than nothing if they overlap.
        late = 0.0 if frame.time is None else frame.time - start - count / rate
        if late > _LONGEST_GAP:
            raise SoundReadError(f"Cannot read the sound '{path}': it has a gap of {late:.0f} seconds.")
        if late > _LOOSE:
            joined += np.zeros(round(late * rate), np.float32).tobytes()
        elif late < -_LOOSE:
            samples = samples[round(-late * rate) :]
        joined += samples.tobytes()
    if not joined:
        raise SoundReadError(f"Cannot read the sound '{path}': its sound track is empty.")
    return Sound(np.frombuffer(joined, np.float32), rate, start - float(beginning))


def _mono(frame: Any) -> Samples:
    """The mean of the channels, with 1 as the full scale."""
    found = frame.to_ndarray()
    # Without planes of their own, the samples of the channels take turns.
    channels = found if frame.format.is_planar else found.reshape(-1, frame.layout.nb_channels).T
    mean = channels.mean(0, dtype=np.float64)
    if found.dtype.kind == "f":
        scaled = mean
    elif found.dtype == np.uint8:
        scaled = (mean - 128) / 128
    else:
        scaled = mean / -float(np.iinfo(found.dtype).min)
    samples: Samples = scaled.astype(np.float32)
    return samples
