"""How layers see the image: strides, receptive fields and smallest sizes, from the modules themselves."""

import sys
from collections.abc import Iterable
from typing import NamedTuple

from torch import nn

_POINTWISE = (
    nn.Identity, nn.Dropout, nn.Dropout2d, nn.BatchNorm2d,
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Hardswish, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softplus,
)  # fmt: skip

WHOLE_IMAGE = sys.maxsize
"""The receptive field of a layer of which every position sees the whole image, however large it is."""


class LayerGeometry(NamedTuple):
    """How a layer sees the image, in pixels.

    Attributes:
        stride: Distance between the centres of what two neighbouring positions see.
        receptive_field: Side of the square that one position sees; `WHOLE_IMAGE` if that is all of it.
        minimum_size: Side of the smallest image that gives at least one position.
        offset: Where the square of the first position begins, negative where it reaches over the
            border; None if that is not known.

    Example:
        >>> LayerGeometry(stride=2, receptive_field=6, minimum_size=2).stride
        2
    """

    stride: int
    receptive_field: int
    minimum_size: int
    offset: int | None = None

    def sees(self, start: int, stop: int) -> tuple[int, int]:
        """The rows of the image that positions from `start` up to, but not with, `stop` see together.

        They may lie beyond the border. Without an offset they are more than the true ones.

        Example:
            >>> LayerGeometry(stride=2, receptive_field=6, minimum_size=2, offset=-2).sees(0, 3)
            (-2, 8)
        """
        first, last = start * self.stride, (stop - 1) * self.stride
        if self.offset is None:
            return first - self.receptive_field, last + self.receptive_field
        return first + self.offset, last + self.offset + self.receptive_field


class Window(NamedTuple):
    """The sliding window of a convolution or a pooling; `padding` is that of both sides together.

    One that `wraps` finds the other side of the image beyond its border.
    """

    kernel: int
    stride: int
    padding: int
    smallest_input: int
    rounds_up: bool
    wraps: bool

    def input_size(self, output_size: int) -> int:
        """The smallest input with at least this many outputs."""
        start = (output_size - 1) * self.stride
        size = start + self.kernel - self.padding
        if self.rounds_up:
            # The last window may stick out, but has to start inside.
            size = max(size - (self.stride - 1), start + 1 - self.padding // 2)
        return max(size, self.smallest_input)


def compose(windows: Iterable[Window]) -> LayerGeometry:
    """The geometry of windows that are applied one after the other."""
    windows = tuple(windows)
    stride = receptive_field = minimum_size = 1
    offset = 0
    for window in windows:
        receptive_field += (window.kernel - 1) * stride
        offset -= window.padding // 2 * stride
        stride *= window.stride
    for window in reversed(windows):
        minimum_size = window.input_size(minimum_size)
    if any(window.wraps for window in windows):
        # The first row sees the last one, so no part of the image is enough.
        return LayerGeometry(stride, WHOLE_IMAGE, minimum_size)
    return LayerGeometry(stride, receptive_field, minimum_size, offset)


def windows_of(module: nn.Module) -> list[Window]:
    """The windows of a module, in order; none for those that act on each position alone.

    Raises:
        TypeError: If the module is of a kind whose window cannot be read off.
    """
    if isinstance(module, nn.Sequential):
        return [window for child in module for window in windows_of(child)]
    if isinstance(module, _POINTWISE):
        return []
    kernel = getattr(module, "kernel_size", None)
    if kernel is None or isinstance(module, nn.ConvTranspose2d):
        raise TypeError(
            f"The receptive field of a {type(module).__name__} cannot be derived. Use convolutions, poolings "
            "and modules that act on each position alone, or subclass `Encoder` and declare it in `geometry`."
        )
    step = getattr(module, "stride", None)
    padding = getattr(module, "padding", 0)
    side = max(_pair(kernel))
    dilation = max(_pair(getattr(module, "dilation", 1)))
    both_sides = {"same": dilation * (side - 1), "valid": 0}
    pad = both_sides[padding] if isinstance(padding, str) else 2 * min(_pair(padding))
    border = getattr(module, "padding_mode", "zeros") if pad else "zeros"
    # What one side gets: of a mirror at most all but the border itself, of the other side all of it.
    smallest = {"reflect": (pad + 1) // 2 + 1, "circular": (pad + 1) // 2}
    return [
        Window(
            kernel=dilation * (side - 1) + 1,
            stride=max(_pair(kernel if step is None else step)),
            padding=pad,
            smallest_input=smallest.get(border, 1),
            rounds_up=bool(getattr(module, "ceil_mode", False)),
            wraps=border == "circular",
        )
    ]


def _pair(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)
