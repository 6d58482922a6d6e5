"""What functions do to what a tensor sees of the image.

Windows and borders move it, what acts on each position alone keeps it, sums and concatenations unite it. Of
every other function it is unknown.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

_POINTWISE = frozenset(
    [
        *("abs", "add", "clamp", "clamp_max", "clamp_min", "clone", "contiguous", "detach", "div", "double"),
        *("dropout", "elu", "exp", "feature_dropout", "float", "gelu", "half", "hardsigmoid", "hardswish"),
        *("hardtanh", "iadd", "imul", "isub", "leaky_relu", "log", "maximum", "minimum", "mish", "mul"),
        *("neg", "pow", "prelu", "radd", "relu", "relu6", "rmul", "rsqrt", "rsub", "selu", "sigmoid"),
        *("silu", "softplus", "sqrt", "square", "sub", "tanh", "to", "true_divide", "truediv"),
        # Along the channels: along the rows or columns the map would change its size.
        *("cat", "chunk", "split"),
    ]
)
_RESHAPES = frozenset(["flatten", "reshape", "squeeze", "unflatten", "unsqueeze", "view"])
_ARGUMENTS = {
    "avg_pool2d": ("input", "kernel_size", "stride", "padding"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training"),
    "conv2d": ("input", "weight", "bias", "stride", "padding", "dilation"),
    "layer_norm": ("input", "normalized_shape"),
    "max_pool2d": ("input", "kernel_size", "stride", "padding", "dilation"),
    "pad": ("input", "pad", "mode"),
    "transpose": ("input", "dim0", "dim1"),
}


class Line(NamedTuple):
    """What the positions along one axis see."""

    stride: int = 1
    first: int = 0
    last: int = 0

    def through(self, kernel: int, stride: int, padding: int, dilation: int) -> "Line":
        """What the positions of a window see that moves along the axis."""
        first = self.first - padding * self.stride
        last = self.last + (dilation * (kernel - 1) - padding) * self.stride
        return Line(self.stride * stride, first, last)


class View(NamedTuple):
    """What a tensor sees of the image, and which of its axes are the rows and the columns."""

    rows: Line = Line()
    columns: Line = Line()
    axes: tuple[int, int] = (2, 3)


def view_after(
    result: Tensor,
    images: Sequence[Tensor],
    views: Sequence[View],
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> View | None:
    """What the result of a function of these images sees; None if that is all or unknown."""
    arguments = _bound(name, args, kwargs)
    image, view = images[0], views[0]
    if name in ("conv2d", "max_pool2d", "avg_pool2d") and len(images) == 1 and arguments["input"] is image:
        return _moved(view, arguments)
    if name == "pad" and arguments.get("mode") != "circular":
        return _padded(view, arguments["pad"], image.ndim)
    if name == "permute":
        order = [axis % image.ndim for axis in arguments["dims"]]
        return view._replace(axes=(order.index(view.axes[0]), order.index(view.axes[1])))
    if name == "transpose":
        order = list(range(image.ndim))
        one, other = arguments["dim0"], arguments["dim1"]
        order[one], order[other] = order[other], order[one]
        return view._replace(axes=(order.index(view.axes[0]), order.index(view.axes[1])))
    if name in _RESHAPES and _keeps_map(image, view, result):
        return view._replace(axes=(result.ndim - 2, result.ndim - 1))
    if name in _POINTWISE or _leaves_positions_alone(name, image, view, arguments):
        return _united(result, images, views)
    return None


def _leaves_positions_alone(name: str, image: Tensor, view: View, arguments: Mapping[str, Any]) -> bool:
    if name == "linear":
        return image.ndim - 1 not in view.axes
    if name == "layer_norm":
        return max(view.axes) < image.ndim - len(arguments["normalized_shape"])
    if name == "batch_norm":
        return not arguments.get("training", False)
    return False


def _united(result: Tensor, images: Sequence[Tensor], views: Sequence[View]) -> View | None:
    """The view of a result of which each position depends on the same position of all images."""
    (first, *_), axes = views, views[0].axes
    for image, view in zip(images, views, strict=True):
        same_map = image.ndim == result.ndim and all(image.shape[axis] == result.shape[axis] for axis in axes)
        same_strides = (view.rows.stride, view.columns.stride) == (first.rows.stride, first.columns.stride)
        if not (same_map and same_strides and view.axes == axes):
            return None
    rows, columns = (
        Line(lines[0].stride, min(line.first for line in lines), max(line.last for line in lines))
        for lines in ([view.rows for view in views], [view.columns for view in views])
    )
    return View(rows, columns, axes)


def _moved(view: View, arguments: Mapping[str, Any]) -> View | None:
    if view.axes != (2, 3):
        return None
    kernel = _pair(arguments["weight"].shape[2:] if "weight" in arguments else arguments["kernel_size"])
    step = arguments.get("stride")
    stride = _pair(step) if step not in (None, ()) else kernel if "kernel_size" in arguments else (1, 1)
    dilation, padding = _pair(arguments.get("dilation", 1)), arguments.get("padding", 0)
    if isinstance(padding, str):
        full = [extent * (side - 1) // 2 for extent, side in zip(dilation, kernel, strict=True)]
        padding = full if padding == "same" else 0
    padding = _pair(padding)
    return View(
        view.rows.through(kernel[0], stride[0], padding[0], dilation[0]),
        view.columns.through(kernel[1], stride[1], padding[1], dilation[1]),
    )


def _padded(view: View, pad: Sequence[int], num_axes: int) -> View:
    lines = []
    for line, axis in zip((view.rows, view.columns), view.axes, strict=True):
        before = 2 * (num_axes - 1 - axis)
        shift = pad[before] * line.stride if before < len(pad) else 0
        lines.append(Line(line.stride, line.first - shift, line.last - shift))
    return View(lines[0], lines[1], view.axes)


def _keeps_map(image: Tensor, view: View, result: Tensor) -> bool:
    return view.axes == (image.ndim - 2, image.ndim - 1) and image.shape[-2:] == result.shape[-2:]


def _bound(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by their names."""
    if name == "permute":
        return {"dims": kwargs.get("dims") or (args[1:] if isinstance(args[1], int) else args[1])}
    return {**dict(zip(_ARGUMENTS.get(name, ()), args, strict=False)), **kwargs}


def _pair(value: Any) -> tuple[int, int]:
    sides = (value,) if isinstance(value, int) else tuple(value)
    return sides[0], sides[-1]
