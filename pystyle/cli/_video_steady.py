"""`pystyle video --steady`: what a network paints is steadied, and the frames are left as they are."""

from collections.abc import Mapping, Sequence
from copy import copy
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32
from pystyle.networks import Stylizer
from pystyle.video import Frame, FramePainter, SteadyPainter
from pystyle.video.sound import Curve, SoundPainter


def steadied(painter: SoundPainter) -> FramePainter:
    """A network whose pictures are steadied, with what stays of the frames as it is."""
    if type(painter.network).mixed is not Stylizer.mixed:
        # It makes something of a frame at each strength, so that nothing of it stays as it is.
        return SteadyPainter(painter)
    return SteadyStyle(painter)


class SteadyStyle(FramePainter):
    """Steadies the pictures of a network that mixes pixels, and mixes them with the frames afterwards.

    Args:
        painter: The network, with its strength over time.
    """

    def __init__(self, painter: SoundPainter) -> None:
        self.painter = painter
        whole = copy(painter)
        whole.strength = Curve([0], [1.0])
        self._steady = SteadyPainter(whole)

    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """The pictures; a frame of the strength 0 is its own, to the last bit, and is not painted."""
        pictures: list[Tensor] = []
        for is_painted, group in groupby(frames, lambda frame: self._strength(frame) > 0):
            alike = list(group)
            if is_painted:
                pairs = zip(alike, self._steady.paint(alike), strict=True)
                pictures += [
                    torch.lerp(at_least_float32(frame.image), whole[None], self._strength(frame))
                    for frame, whole in pairs
                ]
            else:
                # The last picture is of a moment that is over.
                self._steady.begin()
                pictures += [at_least_float32(frame.image).clamp(0, 1) for frame in alike]
        return torch.cat(pictures)

    def begin(self) -> None:
        """Forget the clip before."""
        self._steady.begin()

    def state_dict(self) -> Mapping[str, Any]:
        """The frame and the picture before."""
        return self._steady.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the frame before."""
        self._steady.load_state_dict(state)

    def _strength(self, frame: Frame) -> float:
        return self.painter.controls(float(frame.time)).strength
