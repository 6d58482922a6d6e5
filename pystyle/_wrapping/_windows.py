"""Windows over an image that wraps.

Along a side that wraps, a window of `kernel` positions, `stride` from one to the next, that begins `padding`
positions before the border, gives one output for each `stride` positions: it sees `padding` more before the
first and `kernel - stride - padding` behind the last, all from the other side. A window that follows a border
that was added before it, by `pad`, is left alone.
"""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle._wrapping._axes import axes_of
from pystyle._wrapping._pad import wrap_pad
from pystyle.typing import Wrap

Pair = int | Sequence[int]
Rule = Callable[..., Any]


class Padded:
    """Which image got a border last, and how many lines it has on both sides together. It is not kept."""

    def __init__(self) -> None:
        self._last: Callable[[], Tensor | None] = lambda: None
        self._lines: tuple[int, int] = (0, 0)

    def note(self, image: Tensor, rows: int, columns: int) -> Tensor:
        """The image, which is the last with a border now."""
        self._last, self._lines = weakref.ref(image), (rows, columns)
        return image

    def has(self, image: Tensor) -> bool:
        """Whether this is the last with a border."""
        return self._last() is image

    def seen(self, image: Tensor, wrap: Wrap, kernel: Pair, stride: Pair, dilation: Pair = 1) -> Tensor:
        """The last with a border, with what its windows lack: borders of large strides need not be whole."""
        for axis in axes_of(wrap):
            lines = self._lines[axis - 2]
            reach = pair(dilation)[axis - 2] * (pair(kernel)[axis - 2] - 1) + 1
            missing = reach - pair(stride)[axis - 2] - lines
            if missing > 0:
                length = image.shape[axis] - lines
                index = torch.arange(image.shape[axis], image.shape[axis] + missing, device=image.device)
                image = torch.cat([image, image.index_select(axis, index % length)], axis)
        return image

    def after(self, found: Tensor, kernel: Pair, stride: Pair, dilation: Pair = 1) -> Tensor:
        """What a window of the last with a border gives: if the window is small, there is a border left."""
        sides = zip(self._lines, pair(kernel), pair(dilation), strict=True)
        rows, columns = (lines - width * (side - 1) for lines, side, width in sides)
        steps = max(pair(stride)) == 1
        return self.note(found, rows, columns) if steps and min(rows, columns) > 0 else found


def pair(value: Pair) -> tuple[int, int]:
    """Of rows and of columns, which may be given as one number."""
    if isinstance(value, int):
        return value, value
    first, *rest = value
    return int(first), int(rest[0] if rest else first)


def windowed(
    image: Tensor, wrap: Wrap, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair = 1
) -> tuple[Tensor, tuple[int, int]]:
    """The image with what its windows see beyond the border, and the padding that is left to be done."""
    left = list(pair(padding))
    for axis in axes_of(wrap):
        size, step = pair(kernel)[axis - 2], pair(stride)[axis - 2]
        before = left[axis - 2]
        if image.shape[axis] % step:
            raise ValueError(
                f"A side of {image.shape[axis]} positions cannot wrap where every {step} become one. Give "
                "the image sides that are multiples of the stride of the layer."
            )
        reach = pair(dilation)[axis - 2] * (size - 1) + 1
        image = wrap_pad(image, axis, before, reach - step - before)
        left[axis - 2] = 0
    return image, (left[0], left[1])


def refused(func: Rule, *others: Any, **more: Any) -> Any:
    """Say that the function has no rule."""
    del others, more
    raise ValueError(
        f"An encoder or network that calls `{getattr(func, '__name__', func)}` cannot wrap: where it looks "
        "is not known. Take another one, or leave `wrap` out."
    )
