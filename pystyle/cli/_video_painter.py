"""What `pystyle video` does with each frame."""

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pystyle.cli._errors import UsageError
from pystyle.cli._keyframes import KeyFrames
from pystyle.cli._networks import chosen_styles
from pystyle.cli._video_masks import Mask, masks_at
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
            Those that move are asked for the time of each frame.
        colors: Whose: ``"style"``; ``"content"``, those of each frame as a whole; ``"luminance"``, its
            colours at each pixel.
    """

    def __init__(self, painters: Sequence[SoundPainter], masks: Sequence[Mask], colors: Colors) -> None:
        self.painters, self.masks, self.colors = tuple(painters), tuple(masks), colors

    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """The pictures of some frames."""
        images = torch.cat([frame.image for frame in frames])
        each = (painter.paint(frames) for painter in self.painters)
        pictures = composed(images, masks_at(self.masks, frames), each) if self.masks else next(each)
        return in_colors(pictures, images, self.colors)


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
    return ClipPainter(painters, masks, options.colors)


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
