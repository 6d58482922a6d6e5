"""Where `pystyle video` paints: masks of all frames, and masks that move with them."""

import argparse
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from pystyle.cli._errors import UsageError
from pystyle.cli._video_clip import is_photograph
from pystyle.images import read_mask, resize
from pystyle.typing import MaskedImage
from pystyle.video import Clip, Frame, read_clip

_GREY = 0.1
"""How far the channels of a grey frame may differ: codecs of videos change colours a little."""


class MovingMask:
    """A mask for each time: what a clip shows then, white inside. Its last frame stays.

    Args:
        clip: The clip.
        size: Height and width of the masks.
        numbered: Whether it has no times of its own: each second of it is for one frame.
    """

    def __init__(self, clip: Clip, size: tuple[int, int], *, numbered: bool = False) -> None:
        self.digest, self.size, self.numbered = clip.digest(), size, numbered
        self._clip = clip
        self._frames: Iterator[Frame] = iter(())
        self._shown: Frame | None = None
        self._next: Frame | None = None
        self._time = Fraction(0)

    def at(self, time: Fraction) -> Tensor:
        """The mask at a time. Times that grow are read once; for an earlier one it begins anew."""
        shown = self._shown
        if shown is None or time < self._time:
            self._frames = self._clip.frames()
            shown, self._next = next(self._frames), next(self._frames, None)
        while self._next is not None and self._next.time <= time:
            shown, self._next = self._next, next(self._frames, None)
        self._shown, self._time = shown, time
        return resize(shown.image.mean(1, keepdim=True), self.size)


Mask: TypeAlias = Tensor | MovingMask
"""A mask of all frames, or one that moves."""


def masks_at(masks: Sequence[Mask], frames: Sequence[Frame], number: int = 0) -> list[Tensor]:
    """The masks of some frames; where those that move overlap, each gets its share.

    Args:
        masks: The masks.
        frames: The frames.
        number: How many frames came before them.

    Shape:
        - output: each (1 or number of frames, 1, height, width)
    """
    if all(isinstance(mask, Tensor) for mask in masks):
        return [mask for mask in masks if isinstance(mask, Tensor)]
    times = [Fraction(frame.time) for frame in frames]
    numbers = [Fraction(number + index) for index in range(len(frames))]
    found = [
        mask
        if isinstance(mask, Tensor)
        else torch.cat([mask.at(time) for time in (numbers if mask.numbered else times)])
        for mask in masks
    ]
    total = sum(found, torch.zeros(())).clamp_min(1)
    return [mask / total for mask in found]


def read_masks(options: argparse.Namespace, clip: Clip, size: tuple[int, int]) -> list[Mask]:
    """The masks of the options, at the size at which the clip is painted.

    Args:
        options: The options.
        clip: The clip at its own size, which they must have.
        size: Height and width of the frames that are painted.

    Raises:
        UsageError: If one has another size, is empty or coloured, or two overlap that do not move.
    """
    found: list[Mask] = [_read_mask(file, options, clip, size) for file in options.mask or ()]
    still = {str(number): mask for number, mask in enumerate(found, 1) if isinstance(mask, Tensor)}
    if not still:
        return found
    try:
        # What masks must be is checked where pictures have them.
        masked = MaskedImage(torch.zeros(1, 3, clip.height, clip.width), still)
    except ValueError as error:
        raise UsageError(f"The files of `--mask` cannot be taken: {error}") from error
    resized = {name: resize(mask, size).clamp(0, 1) for name, mask in masked.masks.items()}
    return [resized.get(str(number), mask) for number, mask in enumerate(found, 1)]


def _read_mask(file: str, options: argparse.Namespace, clip: Clip, size: tuple[int, int]) -> Mask:
    if not Path(file).is_dir() and (not Path(file).is_file() or is_photograph(file, options.max_pixels)):
        mask = read_mask(file, max_pixels=options.max_pixels)
        _check_size(file, (mask.shape[2], mask.shape[3]), clip)
        return mask
    # The images of a folder have no times of their own: they are those of the frames, one for one.
    numbered = Path(file).is_dir()
    moving = read_clip(file, rate=1 if numbered else None, max_pixels=options.max_pixels)
    _check_size(file, (moving.height, moving.width), clip)
    first = next(moving.frames()).image
    if float((first.amax(1) - first.amin(1)).max()) > _GREY:
        raise UsageError(f"`--mask` must be grey, white inside and black outside, got colours in '{file}'.")
    return MovingMask(moving, size, numbered=numbered)


def _check_size(file: str, size: tuple[int, int], clip: Clip) -> None:
    if size != (clip.height, clip.width):
        raise UsageError(
            f"`--mask` must have the size of the clip, {clip.width} x {clip.height} pixels, got "
            f"{size[1]} x {size[0]} in '{file}'."
        )
