"""What stands for the functions of torch that look at neighbours where an image wraps.

Along a side that wraps, a window of `kernel` positions, `stride` from one to the next, that begins `padding`
positions before the border, gives one output for each `stride` positions: it sees `padding` more before the
first and `kernel - stride - padding` behind the last, all from the other side. A window that follows a border
that was added before it, by `pad`, is left alone.
"""

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pystyle._wrapping._axes import axes_of
from pystyle._wrapping._interpolate import interpolate_wrapped
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
            reach = _pair(dilation)[axis - 2] * (_pair(kernel)[axis - 2] - 1) + 1
            missing = reach - _pair(stride)[axis - 2] - lines
            if missing > 0:
                length = image.shape[axis] - lines
                index = torch.arange(image.shape[axis], image.shape[axis] + missing, device=image.device)
                image = torch.cat([image, image.index_select(axis, index % length)], axis)
        return image

    def after(self, found: Tensor, kernel: Pair, stride: Pair, dilation: Pair = 1) -> Tensor:
        """What a window of the last with a border gives: if the window is small, there is a border left."""
        sides = zip(self._lines, _pair(kernel), _pair(dilation), strict=True)
        rows, columns = (lines - width * (side - 1) for lines, side, width in sides)
        steps = max(_pair(stride)) == 1
        return self.note(found, rows, columns) if steps and min(rows, columns) > 0 else found


def _pair(value: Pair) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    first, *rest = value
    return int(first), int(rest[0] if rest else first)


def _windowed(
    image: Tensor, wrap: Wrap, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair = 1
) -> tuple[Tensor, tuple[int, int]]:
    """The image with what its windows see beyond the border, and the padding that is left to be done."""
    left = list(_pair(padding))
    for axis in axes_of(wrap):
        size, step = _pair(kernel)[axis - 2], _pair(stride)[axis - 2]
        before = left[axis - 2]
        if image.shape[axis] % step:
            raise ValueError(
                f"A side of {image.shape[axis]} positions cannot wrap where every {step} become one. Give "
                "the image sides that are multiples of the stride of the layer."
            )
        reach = _pair(dilation)[axis - 2] * (size - 1) + 1
        image = wrap_pad(image, axis, before, reach - step - before)
        left[axis - 2] = 0
    return image, (left[0], left[1])


def _convolved(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Any:
    kernel = tuple(weight.shape[2:])
    full = [d * (side - 1) for d, side in zip(_pair(dilation), kernel, strict=True)]
    if padded.has(input):
        image = padded.seen(input, wrap, kernel, stride, dilation)
        found = func(image, weight, bias, stride, padding, dilation, groups)
        return padded.after(found, kernel, stride, dilation)
    begins = [0, 0] if padding == "valid" else [reach // 2 for reach in full]
    if not isinstance(padding, str):
        begins = [*_pair(padding)]
    image, rest = _windowed(input, wrap, kernel, stride, begins, dilation)
    if padding == "same" and wrap == "horizontal":
        # Kernels of even sides see one row more below than above.
        image, rest = F.pad(image, (0, 0, begins[0], full[0] - begins[0])), (0, 0)
    return func(image, weight, bias, stride, rest, dilation, groups)


def _transposed(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Any:
    del padded
    more = {}
    for axis in axes_of(wrap):
        index = axis - 2
        step = _pair(stride)[index]
        reach = _pair(dilation)[index] * (weight.shape[axis] - 1) + 1
        if reach - 2 * _pair(padding)[index] + _pair(output_padding)[index] != step:
            raise ValueError(
                f"A transposed convolution with a kernel of {weight.shape[axis]} and a stride of {step} "
                f"cannot wrap where it does not make {step} of each position. Choose its padding for that."
            )
        more[axis] = math.ceil(reach / step)
        input = wrap_pad(input, axis, more[axis], more[axis])
    found = func(input, weight, bias, stride, padding, output_padding, groups, dilation)
    for axis, lines in more.items():
        cut = lines * _pair(stride)[axis - 2]
        found = found.narrow(axis, cut, found.shape[axis] - 2 * cut)
    return found


def _max_pooled(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    **others: Any,
) -> Any:
    stride = kernel_size if stride is None or stride == [] else stride
    if padded.has(input):
        image = padded.seen(input, wrap, kernel_size, stride, dilation)
        found = func(image, kernel_size, stride, padding, dilation, ceil_mode, **others)
        return padded.after(found, kernel_size, stride, dilation)
    image, rest = _windowed(input, wrap, kernel_size, stride, padding, dilation)
    return func(image, kernel_size, stride, rest, dilation, ceil_mode, **others)


def _average_pooled(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    *others: Any,
    **more: Any,
) -> Any:
    stride = kernel_size if stride is None else stride
    if padded.has(input):
        image = padded.seen(input, wrap, kernel_size, stride)
        found = func(image, kernel_size, stride, padding, ceil_mode, *others, **more)
        return padded.after(found, kernel_size, stride)
    image, rest = _windowed(input, wrap, kernel_size, stride, padding)
    return func(image, kernel_size, stride, rest, ceil_mode, *others, **more)


def _bordered(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Any:
    if len(pad) not in (2, 4):
        return func(input, pad, mode, value)
    rest = [*pad, 0, 0][:4]
    image = input
    for axis in axes_of(wrap):
        place = 2 * (3 - axis)
        image = wrap_pad(image, axis, rest[place], rest[place + 1])
        rest[place : place + 2] = [0, 0]
    return padded.note(func(image, rest, mode, value) if any(rest) else image, sum(pad[2:]), sum(pad[:2]))


def _unfolded(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    kernel_size: Pair,
    dilation: Pair = 1,
    padding: Pair = 0,
    stride: Pair = 1,
) -> Any:
    if padded.has(input):
        return func(
            padded.seen(input, wrap, kernel_size, stride, dilation), kernel_size, dilation, padding, stride
        )
    image, rest = _windowed(input, wrap, kernel_size, stride, padding, dilation)
    return func(image, kernel_size, dilation, rest, stride)


def _interpolated(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    size: Pair | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    del padded
    if mode in ("nearest", "nearest-exact", "area"):
        return func(input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)
    if align_corners:
        raise ValueError(
            "Where an image wraps no corner is a corner: what interpolates with `align_corners=True` cannot "
            "wrap. Take another encoder or network."
        )
    if size is None:
        factors = scale_factor if isinstance(scale_factor, Sequence) else (scale_factor, scale_factor)
        size = [int(side * (factor or 1)) for side, factor in zip(input.shape[2:], factors, strict=True)]
    return interpolate_wrapped(input, _pair(size), wrap=wrap, mode=mode, antialias=antialias)


def _refused(func: Rule, *others: Any, **more: Any) -> Any:
    del others, more
    raise ValueError(
        f"An encoder or network that calls `{getattr(func, '__name__', func)}` cannot wrap: where it looks "
        "is not known. Take another one, or leave `wrap` out."
    )


RULES: dict[Any, Rule] = {
    torch.conv2d: _convolved,
    torch.conv_transpose2d: _transposed,
    torch.max_pool2d: _max_pooled,
    F.max_pool2d: _max_pooled,
    F.avg_pool2d: _average_pooled,
    F.pad: _bordered,
    F.unfold: _unfolded,
    F.interpolate: _interpolated,
    F.grid_sample: _refused,
    F.fold: _refused,
    Tensor.unfold: _refused,
}
"""The rules by the functions, which call them with the function, the wrap and the last border first."""
