"""Turning an image without inventing pixels."""

import math
from typing import get_args

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from pystyle._arguments import check_scale, number
from pystyle.images._levels import check_floating
from pystyle.images._resize import Interpolation


def rotate(image: Tensor, degrees: float, *, interpolation: Interpolation = "bicubic") -> Tensor:
    """Returns the image turned counter-clockwise, cropped to the largest rectangle without empty corners.

    Multiples of 90 degrees lose nothing. The result is a new tensor in every case. Gradients flow through.

    Args:
        image: Images or masks, any number of channels.
        degrees: The angle.
        interpolation: "bicubic" for pictures (its overshoot is clamped to [0, 1]), "bilinear", or "nearest"
            for masks whose values must not be mixed.

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
        >>> rotate(torch.tensor([[[[0.1, 0.2], [0.3, 0.4]]]]), 90)
        tensor([[[[0.2000, 0.4000],
                  [0.1000, 0.3000]]]])
        >>> rotate(torch.rand(1, 3, 100, 150), 15).shape
        torch.Size([1, 3, 66, 137])
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
    degrees = number(degrees, "`degrees`")
    if degrees % 90 == 0:
        return torch.rot90(image, round(degrees / 90) % 4, (2, 3))
    # Half precision on the CPU lacks some kernels, and its coordinates would be too coarse.
    wide = image.float() if image.dtype in (torch.float16, torch.bfloat16) else image
    grid = _sampling_grid(wide, math.radians(degrees)).expand(len(image), -1, -1, -1)
    turned = grid_sample(wide, grid, mode=interpolation, padding_mode="border", align_corners=True)
    if interpolation == "bicubic":
        turned = turned.clamp(0, 1)
    return turned.to(image.dtype)


def _sampling_grid(image: Tensor, angle: float) -> Tensor:
    """Where the pixels of the result lie in the image, in the coordinates of `grid_sample`."""
    height, width = image.shape[2:]
    rows, columns = (math.floor(side + 1e-6) + 1 for side in _inner_rectangle(height - 1, width - 1, angle))
    y = torch.arange(rows, dtype=image.dtype, device=image.device)[:, None] - (rows - 1) / 2
    x = torch.arange(columns, dtype=image.dtype, device=image.device) - (columns - 1) / 2
    # The y axis points down, so this is the inverse of a counter-clockwise turn.
    source_x = math.cos(angle) * x - math.sin(angle) * y
    source_y = math.sin(angle) * x + math.cos(angle) * y
    grid = torch.stack((2 * source_x / max(width - 1, 1), 2 * source_y / max(height - 1, 1)), dim=-1)
    return grid.unsqueeze(0)


def _inner_rectangle(height: float, width: float, angle: float) -> tuple[float, float]:
    """Height and width of the largest upright rectangle inside one that is turned by the angle."""
    sine, cosine = abs(math.sin(angle)), abs(math.cos(angle))
    short, long = min(height, width), max(height, width)
    if short <= 2 * sine * cosine * long or math.isclose(sine, cosine):
        # Two corners lie on the long sides, the other two have room to spare.
        sides = short / (2 * sine), short / (2 * cosine)
        return sides[::-1] if width >= height else sides
    factor = 1 / (cosine**2 - sine**2)
    return factor * (height * cosine - width * sine), factor * (width * cosine - height * sine)
