"""What `pystyle video` does with each frame."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pystyle.cli._errors import UsageError
from pystyle.cli._keyframes import KeyFrames
from pystyle.cli._networks import chosen_styles
from pystyle.cli._video_masks import Mask, masks_at
from pystyle.cli._video_steady import steadied
from pystyle.colors._transfer import in_colors
from pystyle.networks import Stylizer
from pystyle.networks._painter import composed
from pystyle.typing import Colors
from pystyle.video import Frame, FramePainter
from pystyle.video.sound import Curve, Sound, SoundPainter, sound_painter


class ClipPainter(FramePainter):
    """Paints frames, each region by a painter of its own, in the colours of the style or of the frames.

    Args:
        painters: One for the whole picture, or one for each mask.
        masks: Where they paint, of the size of the frames; none for all of them. Elsewhere frames stay.
            Those that move are asked for each frame.
        colors: Whose: ``"style"``; ``"content"``, those of each frame as a whole; ``"luminance"``, its
            colours at each pixel.
    """

    def __init__(self, painters: Sequence[FramePainter], masks: Sequence[Mask], colors: Colors) -> None:
        self.painters, self.masks, self.colors = tuple(painters), tuple(masks), colors
        self._count = 0

    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """The pictures of some frames."""
        images = torch.cat([frame.image for frame in frames])
        # Before they are composed: elsewhere frames have their colours already.
        each = (in_colors(painter.paint(frames), images, self.colors) for painter in self.painters)
        masks, self._count = masks_at(self.masks, frames, self._count), self._count + len(frames)
        return composed(images, masks, each) if masks else next(each)

    def begin(self) -> None:
        """Forget the clip before."""
        self._count = 0
        for painter in self.painters:
            painter.begin()

    def state_dict(self) -> Mapping[str, Any]:
        """How many frames there were, which folders of masks are asked for, and what painters remember."""
        return {"count": self._count, "painters": [painter.state_dict() for painter in self.painters]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the frame before."""
        self._count = state["count"]
        for painter, remembered in zip(self.painters, state["painters"], strict=True):
            painter.load_state_dict(remembered)


def clip_painter(
    network: Stylizer,
    options: argparse.Namespace,
    sound: Sound | None,
    keyframes: KeyFrames | None,
    masks: Sequence[Mask],
) -> ClipPainter:
    """What the options of the command make of a network.

    Args:
        network: The network.
        options: The options.
        sound: What drives the style.
        keyframes: What changes it over time.
        masks: Where it is painted.
    """
    styles = chosen_styles(network, options)
    if len(masks) > 1:
        strength = _strength(options, keyframes)
        painters = [
            SoundPainter(network, [style], strength=strength, precision=options.precision) for style in styles
        ]
    elif sound is not None:
        driven = sound_painter(
            sound,
            network,
            styles,
            follow=options.follow or "centroid",
            strength=options.strength,
            precision=options.precision,
        )
        painters = [driven]
    else:
        painters = [
            SoundPainter(
                network,
                styles,
                strength=_strength(options, keyframes),
                shares=_shares(options, keyframes, len(styles)),
                precision=options.precision,
            )
        ]
    # What is composed of them must be the frame itself where nothing is painted.
    parts = [steadied(painter) for painter in painters] if options.steady else painters
    return ClipPainter(parts, masks, options.colors)


def _strength(options: argparse.Namespace, keyframes: KeyFrames | None) -> Curve | float:
    if keyframes is not None and keyframes.strength is not None:
        return keyframes.strength
    strength: float = options.strength
    return strength


def _shares(options: argparse.Namespace, keyframes: KeyFrames | None, count: int) -> Curve:
    if keyframes is not None and keyframes.shares is not None:
        found = keyframes.shares.values.shape[1]
        if found != count:
            raise UsageError(
                f"`--keyframes` must have 'style_weights' for each of the {count} styles, got {found}."
            )
        return keyframes.shares
    weights = np.array(options.style_weights or [1.0] * count)
    return Curve([0], (weights / weights.sum())[None])
