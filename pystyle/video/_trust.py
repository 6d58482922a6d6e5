"""Where a frame shows what the one before showed: what steadying relies on."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, interpolate

from pystyle.functional import reliability

_TOLERANCE = 0.1
"""How far the colours of a frame may be from those that were moved into it, in [0, 1]."""
_SOFTENED = 0.8
"""The deviation that softens borders, in pixels: that of Ruder's programs."""
_LEAST_SHARE = 0.25
"""Real cuts leave at most 0.23 of the weights; a lorry that fills half of the frame leaves 0.4."""
_MOST_DIFFERENCE = 0.12
"""Most cuts differ by more, and some to or from black leave weights where both are dark. Within a scene 0.03
was the most over ten frames."""


def trusted(image: Tensor, before: Tensor, backward: Tensor, forward: Tensor) -> Tensor | None:
    """Weights from 0 to 1 of what is moved from the frame before, (1, 1, height, width) at half the size.

    A place counts where both flows agree, and where the moved frame has the colours of the frame. All is
    found at half the size: it takes a quarter of the time, and noise counts less.

    Args:
        image: The frame.
        before: The frame before it.
        backward: The flow from the frame to the one before it.
        forward: The flow from the one before to the frame.

    Returns:
        The weights, or None if the frame is the first after a cut: they are less than a quarter on the mean,
        or the colours differ by more than 0.12 on the mean after they were moved.
    """
    small = half(image)
    ratio = [small.shape[3] / image.shape[3], small.shape[2] / image.shape[2]]
    scale = torch.tensor(ratio, device=image.device, dtype=image.dtype).view(1, 2, 1, 1)
    to_before, from_before = scale * half(backward), scale * half(forward)
    differences = (small - moved(half(before), to_before)).abs().mean(1, keepdim=True)
    weights = reliability(from_before, to_before, smoothing=_SOFTENED)
    weights = weights * torch.exp(-((blurred(differences, 3) / _TOLERANCE) ** 2))
    if weights.mean() < _LEAST_SHARE or differences.mean() > _MOST_DIFFERENCE:
        return None
    return weights


def moved(image: Tensor, flow: Tensor) -> Tensor:
    """An image moved along a flow, as by :func:`pystyle.functional.warp`, but bicubic between the pixels.

    So it stays sharper when it is moved again and again, and some values leave their range.
    """
    height, width = flow.shape[2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    x = (flow[:, 0] + columns) * (2 / max(1, width - 1)) - 1
    y = (flow[:, 1] + rows[:, None]) * (2 / max(1, height - 1)) - 1
    grid = torch.stack([x, y], dim=-1)
    return grid_sample(image, grid, mode="bicubic", padding_mode="border", align_corners=True)


def half(images: Tensor) -> Tensor:
    """Images, or flows whose distances are not yet halved, at half the size; an odd side is rounded up."""
    height, width = images.shape[2:]
    if height % 2 == 0 and width % 2 == 0:
        return avg_pool2d(images, 2)
    return interpolate(images, (-(-height // 2), -(-width // 2)), mode="area")


def blurred(values: Tensor, width: int) -> Tensor:
    """The mean over a square of an odd width around each place."""
    return avg_pool2d(values, width, stride=1, padding=width // 2, count_include_pad=False)
