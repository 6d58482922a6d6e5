"""What stands for the poolings of torch where an image wraps."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from pystyle._wrapping._axes import axes_of
from pystyle._wrapping._windows import Padded, Pair, Rule, pair, refused, windowed
from pystyle.typing import Wrap


def max_pooled(
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
    """The largest of each window."""
    stride = kernel_size if stride is None or stride == [] else stride
    if padded.has(input):
        image = padded.seen(input, wrap, kernel_size, stride, dilation)
        found = func(image, kernel_size, stride, padding, dilation, ceil_mode, **others)
        return padded.after(found, kernel_size, stride, dilation)
    image, rest = windowed(input, wrap, kernel_size, stride, padding, dilation)
    return func(image, kernel_size, stride, rest, dilation, ceil_mode, **others)


def average_pooled(
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
    """The mean of each window."""
    stride = kernel_size if stride is None else stride
    if padded.has(input):
        image = padded.seen(input, wrap, kernel_size, stride)
        found = func(image, kernel_size, stride, padding, ceil_mode, *others, **more)
        return padded.after(found, kernel_size, stride)
    image, rest = windowed(input, wrap, kernel_size, stride, padding)
    return func(image, kernel_size, stride, rest, ceil_mode, *others, **more)


def power_pooled(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    norm_type: float,
    kernel_size: Pair,
    stride: Pair | None = None,
    ceil_mode: bool = False,
) -> Any:
    """The norm of each window, which `lp_pool2d` has no padding for."""

    def pooled(image: Tensor, kernel_size: Pair, stride: Pair, padding: Pair, ceil_mode: bool) -> Any:
        del padding  # There is none.
        return func(image, norm_type, kernel_size, stride, ceil_mode)

    return average_pooled(pooled, wrap, padded, input, kernel_size, stride, 0, ceil_mode)


def max_pooled_with_places(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    *others: Any,
    **more: Any,
) -> Any:
    """The largest of each window and where it lies, if no window sees beyond the border."""
    stride = kernel_size if stride is None or stride == [] else stride
    image, _ = windowed(input, wrap, kernel_size, stride, padding, dilation)
    if image is not input or padded.has(input):
        # The places would be those of another image.
        refused(func)
    return func(input, kernel_size, stride, padding, dilation, *others, **more)


def unpooled(
    func: Rule,
    wrap: Wrap,
    padded: Padded,
    input: Tensor,
    indices: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """What was pooled by windows beside each other, put back to where it lay."""
    del padded
    stride = kernel_size if stride is None or stride == [] else stride
    for axis in axes_of(wrap):
        step = pair(stride)[axis - 2]
        is_whole = output_size is None or output_size[axis - 4] == step * input.shape[axis]
        if pair(kernel_size)[axis - 2] != step or pair(padding)[axis - 2] or not is_whole:
            refused(func)
    return func(input, indices, kernel_size, stride, padding, output_size)
