"""One picture of a clip, with its place in time."""

from fractions import Fraction
from typing import NamedTuple

from torch import Tensor


class Frame(NamedTuple):
    """A picture of a clip and when it is shown.

    Attributes:
        image: RGB in [0, 1], (1, 3, height, width).
        time: When it appears, in seconds from the beginning of the clip.
        duration: How long it is shown, in seconds; None where nobody knows.

    Example:
        >>> import torch
        >>> frame = Frame(torch.zeros(1, 3, 4, 4), Fraction(1, 25))
        >>> frame._replace(image=frame.image + 1).time
        Fraction(1, 25)
    """

    image: Tensor
    time: Fraction
    duration: Fraction | None = None
