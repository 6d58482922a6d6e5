"""A clip of a photograph that stands still."""

import hashlib
import math
from collections.abc import Iterator
from fractions import Fraction

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.images._levels import check_single_image
from pystyle.video._clip import Clip
from pystyle.video._frame import Frame
from pystyle.video._rate import exact_rate


def still_clip(image: Tensor, seconds: float | Fraction, *, rate: float | Fraction = 25) -> Clip:
    """Returns a clip of one photograph, for painters that change with the time.

    Args:
        image: The photograph.
        seconds: How long the clip is at least: it ends with a whole frame.
        rate: Frames in a second: a number, or a fraction such as 30000/1001.

    Returns:
        The clip.

    Raises:
        TypeError: `image` is no floating tensor.
        ValueError: `image` has another shape, or a number is not positive.

    Shape:
        - image: (1, 3, height, width) or (3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> clip = still_clip(torch.zeros(1, 3, 4, 6), 1.1, rate=2)
        >>> [str(frame.time) for frame in clip]
        ['0', '1/2', '1']
        >>> clip
        <clip 'the photograph': 6 x 4, 2 a second, 3 frames>
    """
    return StillClip(image, seconds, rate)


class StillClip(Clip):
    """The clip of :func:`still_clip`."""

    def __init__(self, image: Tensor, seconds: float | Fraction, rate: float | Fraction) -> None:
        seconds = number(seconds, "`seconds`", above=0)
        self.rate = exact_rate(rate)
        self.name, self._image = "the photograph", check_single_image(image)[None]
        self.height, self.width = self._image.shape[2:]
        self.time_base = 1 / self.rate
        self.num_frames = math.ceil(Fraction(seconds).limit_denominator(1_000_000) * self.rate) or 1
        self.duration = self.num_frames / self.rate

    def frames(self, first: int = 0) -> Iterator[Frame]:
        for index in range(first, self.num_frames or 0):
            yield self._frame(self._image, index / self.rate, 1 / self.rate)

    def digest(self) -> str:
        facts = f"{self.num_frames} at {self.rate}, {self._image.dtype} {tuple(self._image.shape)}"
        # NumPy has no bfloat16.
        pixels = self._image.detach().cpu().contiguous().view(torch.uint8).numpy()
        return hashlib.sha256(facts.encode() + pixels.tobytes()).hexdigest()
