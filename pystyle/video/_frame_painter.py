"""What paints a clip frame by frame, if it needs more than the images."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle.networks import Stylizer
from pystyle.video._frame import Frame


class FramePainter(ABC):
    """Paints the frames of a clip in their order: the base class of what needs their times, or remembers.

    What it remembers is its state: a run that goes on after it was killed gives it back, so that the clip is
    the same. Public attributes are what a run is recognised by; keep what changes in private ones.

    Example:
        >>> class Trail(FramePainter):
        ...     '''Each frame with a trace of the one before.'''
        ...     def __init__(self):
        ...         self._last = None
        ...     def paint(self, frames):
        ...         pictures = []
        ...         for frame in frames:
        ...             last = frame.image if self._last is None else self._last
        ...             self._last = 0.5 * last + 0.5 * frame.image
        ...             pictures.append(self._last)
        ...         return torch.cat(pictures)
        ...     def begin(self):
        ...         self._last = None
        ...     def state_dict(self):
        ...         return {"last": self._last}
        ...     def load_state_dict(self, state):
        ...         self._last = state["last"]
        >>> white, black = Frame(torch.ones(1, 3, 8, 8), 0), Frame(torch.zeros(1, 3, 8, 8), 1)
        >>> Trail().paint([white, black]).amax((1, 2, 3))
        tensor([1.0000, 0.5000])
    """

    @abstractmethod
    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """The pictures of frames that follow each other, and those of the call before.

        Args:
            frames: The frames, with their times.

        Returns:
            The pictures, RGB in [0, 1]. They are copied, so that the next call may change this tensor.

        Shape:
            - output: (number of frames, 3, height, width)
        """

    def begin(self) -> None:  # noqa: B027 (most remember nothing)
        """Forget what came before: the next frame is the first of a clip."""

    def state_dict(self) -> Mapping[str, Any]:
        """What is remembered of earlier frames: tensors, numbers, texts, lists and mappings of them."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027
        """Remember what another one remembered; tensors come on the CPU."""


class OfImages(FramePainter):
    """A function of images as a painter of frames.

    Args:
        painter: Gives pictures for images (batch, 3, height, width).
    """

    def __init__(self, painter: Callable[[Tensor], Tensor]) -> None:
        self.painter = painter

    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """What the function makes of the images, all together."""
        return self.painter(torch.cat([frame.image for frame in frames]))


def as_frame_painter(painter: FramePainter | Callable[[Tensor], Tensor]) -> FramePainter:
    """A painter of frames as it is, or one of a function of images.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(painter, FramePainter):
        return painter
    if isinstance(painter, Stylizer):
        style = repr(painter.styles[0]) if painter.styles else "painting"
        raise TypeError(
            f"`painter` must be a function of images or a FramePainter, got a {type(painter).__name__} "
            f"without a style. Bind one first: `network.bind({style})`."
        )
    if not callable(painter):
        raise TypeError(
            f"`painter` must be a function of images or a FramePainter, got a {type(painter).__name__}."
        )
    return OfImages(painter)
