"""What stands for the functions of torch that look at neighbours where an image wraps."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pystyle._wrapping._axes import axes_of
from pystyle._wrapping._interpolate import interpolate_wrapped
from pystyle._wrapping._pad import wrap_pad
from pystyle._wrapping._poolings import (
    average_pooled,
    max_pooled,
    max_pooled_with_places,
    power_pooled,
    unpooled,
)
from pystyle._wrapping._windows import Padded, Pair, Rule, pair, refused, windowed
from pystyle.typing import Wrap


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
    full = [d * (side - 1) for d, side in zip(pair(dilation), kernel, strict=True)]
    if padded.has(input):
        image = padded.seen(input, wrap, kernel, stride, dilation)
        found = func(image, weight, bias, stride, padding, dilation, groups)
        return padded.after(found, kernel, stride, dilation)
    begins = [0, 0] if padding == "valid" else [reach // 2 for reach in full]
    if not isinstance(padding, str):
        begins = [*pair(padding)]
    image, rest = windowed(input, wrap, kernel, stride, begins, dilation)
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
        step = pair(stride)[index]
        reach = pair(dilation)[index] * (weight.shape[axis] - 1) + 1
        if reach - 2 * pair(padding)[index] + pair(output_padding)[index] != step:
            raise ValueError(
                f"A transposed convolution with a kernel of {weight.shape[axis]} and a stride of {step} "
                f"cannot wrap where it does not make {step} of each position. Choose its padding for that."
            )
        more[axis] = math.ceil(reach / step)
        input = wrap_pad(input, axis, more[axis], more[axis])
    found = func(input, weight, bias, stride, padding, output_padding, groups, dilation)
    for axis, lines in more.items():
        cut = lines * pair(stride)[axis - 2]
        found = found.narrow(axis, cut, found.shape[axis] - 2 * cut)
    return found


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
    image, rest = windowed(input, wrap, kernel_size, stride, padding, dilation)
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
    return interpolate_wrapped(input, pair(size), wrap=wrap, mode=mode, antialias=antialias)


RULES: dict[Any, Rule] = {
    torch.conv2d: _convolved,
    torch.conv_transpose2d: _transposed,
    torch.max_pool2d: max_pooled,
    F.max_pool2d: max_pooled,
    F.max_pool2d_with_indices: max_pooled_with_places,
    F.max_unpool2d: unpooled,
    F.fractional_max_pool2d: refused,
    F.fractional_max_pool2d_with_indices: refused,
    F.avg_pool2d: average_pooled,
    F.lp_pool2d: power_pooled,
    F.pad: _bordered,
    F.unfold: _unfolded,
    F.interpolate: _interpolated,
    F.grid_sample: refused,
    F.fold: refused,
    Tensor.unfold: refused,
}
"""The rules by the functions, which call them with the function, the wrap and the last border first."""
