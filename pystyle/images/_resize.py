"""Changing the size of an image."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from pystyle._arguments import check_scale, explained_allocations, is_number, pixel_size, whole_number
from pystyle._wrapping import checked_wrap, interpolate_wrapped
from pystyle.images._levels import check_floating
from pystyle.typing import Wrap

Edge: TypeAlias = Literal["short", "long", "height", "width"]
Interpolation: TypeAlias = Literal["nearest", "bilinear", "bicubic"]


def resize(
    image: Tensor,
    size: int | tuple[int, int],
    *,
    edge: Edge = "short",
    interpolation: Interpolation = "bicubic",
    wrap: Wrap | None = None,
) -> Tensor:
    """Returns the image at another size, antialiased.

    The other edge of an integer `size` is rounded to the nearest pixel and at least 1. The result is a new
    tensor in every case, also when the size stays the same. Gradients flow through.

    Args:
        image: Images or masks, any number of channels.
        size: Length in pixels of one edge, the other keeping the aspect ratio; or exactly (height, width).
        edge: Which edge an integer `size` is for: "short", "long", "height" or "width".
        interpolation: "bicubic" for pictures (its overshoot is clamped to [0, 1]), "bilinear", or "nearest"
            for masks whose values must not be mixed.
        wrap: The sides beyond which the image goes on with its other side: ``"both"`` for what is laid beside
            itself, ``"horizontal"`` for panoramas, or None. What is near a border is mixed with what is
            across it then, so that no seam comes about.

    Returns:
        A new tensor of the same dtype on the same device.

    Raises:
        TypeError: `image` is not a floating tensor.
        ValueError: `image` is not a non-empty batch of images or has another scale, or an argument is out
            of its range.

    Shape:
        Input: ``(batch, channels, height, width)``, in [0, 1].
        Output: ``(batch, channels, new height, new width)``, in [0, 1].

    Example:
        >>> import torch
        >>> image = torch.rand(1, 3, 100, 150)
        >>> resize(image, 64).shape
        torch.Size([1, 3, 64, 96])
        >>> resize(image, 64, edge="long").shape
        torch.Size([1, 3, 43, 64])
        >>> resize(image, (20, 10)).shape
        torch.Size([1, 3, 20, 10])
    """
    check_floating(image)
    if image.ndim != 4 or image.numel() == 0:
        raise ValueError(
            "`image` must have shape (batch, channels, height, width) and not be empty, "
            f"got {tuple(image.shape)}."
        )
    if not image.requires_grad:
        # What is being optimised has the values that it has, and to look at them would wait for a GPU.
        check_scale(image, "`image`")
    if interpolation not in get_args(Interpolation):
        raise ValueError(f"`interpolation` must be one of {get_args(Interpolation)}, got {interpolation!r}.")
    checked_wrap(wrap)
    new_size = scaled_size((image.shape[2], image.shape[3]), size, edge=edge)
    if new_size == tuple(image.shape[2:]):
        return image.clone()
    if interpolation == "nearest":
        # "nearest" of torch samples the corner of each pixel, which shifts masks by half a pixel.
        return F.interpolate(image, new_size, mode="nearest-exact")
    what = f"Resizing {image.shape[2]} x {image.shape[3]} pixels to {new_size[0]} x {new_size[1]}"
    with explained_allocations(what):
        resized = interpolate_wrapped(image, new_size, wrap=wrap, mode=interpolation, antialias=True)
        # Bicubic kernels overshoot, and bilinear ones round: a mask of ones becomes 1 + 1e-7.
        return resized.contiguous().clamp(0, 1)


def scaled_size(
    old: tuple[int, int], size: int | tuple[int, int], *, edge: Edge = "short"
) -> tuple[int, int]:
    """The (height, width) that :func:`resize` gives an image.

    Args:
        old: Height and width of the image.
        size: Length in pixels of one edge, or exactly (height, width).
        edge: Which edge an integer `size` is for: "short", "long", "height" or "width".

    Returns:
        Height and width in pixels.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> scaled_size((100, 150), 64)
        (64, 96)
    """
    if edge not in get_args(Edge):
        raise ValueError(f"`edge` must be one of {get_args(Edge)}, got {edge!r}.")
    height, width = pixel_size(old, "`old`")
    if not is_number(size) and isinstance(size, Sequence | np.ndarray | Tensor) and not isinstance(size, str):
        return pixel_size(size, "`size`")
    length = whole_number(size, "`size`", least=1)
    edges = {"short": min(height, width), "long": max(height, width), "height": height, "width": width}
    reference = edges[edge]
    return _scaled(height, length, reference), _scaled(width, length, reference)


def _scaled(old: int, length: int, reference: int) -> int:
    # Half up, in integers: `round` would take halves to the even neighbour.
    return max(1, (2 * old * length + reference) // (2 * reference))
