"""Optical flow: moving images along it, and where it can be relied on.

A flow has the shape (batch, 2, height, width) and says for every pixel of one frame where in another frame
its content is found: channel 0 is the distance to the right, channel 1 the distance down, in pixels. This is
what torchvision's RAFT gives and what ``.flo`` files hold.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from pystyle._arguments import number
from pystyle.functional._precision import at_least_float32


def warp(image: Tensor, flow: Tensor) -> Tensor:
    r"""An image moved along a flow: every pixel fetches what its flow points to.

    .. math:: W(y, x) = I(y + v_{yx}, x + u_{yx})

    To bring the previous frame into the pose of the current one, the flow is that from the current frame to
    the previous one ("backward").

    Args:
        image: What is fetched from.
        flow: The distances u to the right and v down, in pixels.

    Returns:
        The moved image, in float32 at least: bilinear between the pixels; beyond the border the outermost
        pixels continue.

    Raises:
        ValueError: If the shapes do not fit each other.

    Shape:
        - image: (batch, channels, height, width)
        - flow: (batch, 2, height, width)
        - output: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> image = torch.tensor([[[[1.0, 2.0, 4.0]]]])
        >>> to_the_right = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 3)
        >>> warp(image, to_the_right), warp(image, 0.5 * to_the_right)
        (tensor([[[[2., 4., 4.]]]]), tensor([[[[1.5000, 3.0000, 4.0000]]]]))

    Note:
        A flow of whole pixels moves the image exactly, which :func:`torch.nn.functional.grid_sample` with its
        relative coordinates does not.
    """
    if image.ndim != 4 or flow.shape != (image.shape[0], 2, *image.shape[2:]):
        raise ValueError(
            "`flow` must have the shape (batch, 2, height, width) for an `image` of the shape "
            f"(batch, channels, height, width), got {tuple(flow.shape)} for {tuple(image.shape)}."
        )
    image = at_least_float32(image)
    height, width = image.shape[2:]
    y, x = _targets(flow.to(image))
    top, left = y.clamp(0, height - 1), x.clamp(0, width - 1)
    row, column = top.floor(), left.floor()
    flat = image.flatten(2)

    def fetch(rows: Tensor, columns: Tensor) -> Tensor:
        # Clamped as integers: a flow that is not a number gives an image that is not, and no crash.
        index = rows.long().clamp(0, height - 1) * width + columns.long().clamp(0, width - 1)
        return flat.gather(2, index.flatten(2).expand_as(flat)).view_as(image)

    above = torch.lerp(fetch(row, column), fetch(row, column + 1), left - column)
    below = torch.lerp(fetch(row + 1, column), fetch(row + 1, column + 1), left - column)
    return torch.lerp(above, below, top - row)


def reliability(forward_flow: Tensor, backward_flow: Tensor, *, smoothing: float = 0.0) -> Tensor:
    r"""Where the previous frame, warped into the current one, shows what the current frame shows.

    Let :math:`\hat w = (\hat u, \hat v)` be the backward flow, from the current frame to the previous one,
    and :math:`\tilde w` the forward flow warped by it into the current frame. A pixel is not reliable if it
    comes from outside of the frame, if it was hidden, or if it lies on the border of a motion:

    .. math::
        |\tilde w + \hat w|^2 &> 0.01 \left( |\tilde w|^2 + |\hat w|^2 \right) + 0.5 \\
        |\nabla \hat u|^2 + |\nabla \hat v|^2 &> 0.01\, |\hat w|^2 + 0.002

    Args:
        forward_flow: The flow from the previous frame to the current one.
        backward_flow: The flow from the current frame to the previous one.
        smoothing: The standard deviation, in pixels, of a Gaussian that softens the borders; the authors'
            programs use 0.8, the paper has none.

    Returns:
        Weights from 0 (not reliable) to 1, for :class:`pystyle.TemporalLoss`.

    Raises:
        ValueError: If the flows have not the same shape (batch, 2, height, width) or `smoothing` is
            negative.

    Shape:
        - forward_flow, backward_flow: (batch, 2, height, width)
        - output: (batch, 1, height, width)

    Example:
        >>> import torch
        >>> to_the_left = torch.tensor([-1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 4)
        >>> reliability(-to_the_left, to_the_left)   # what is now at the left edge has come from outside
        tensor([[[[0., 1., 1., 1.]]]])

    Note:
        Gradients are central differences. Where hidden pixels are smoothed they count -1, as in the authors'
        programs, so that softening goes outward. These also reject pixels that come from the last row or
        column; here they are kept.

    References:
        Ruder, Dosovitskiy, Brox. *Artistic style transfer for videos*. GCPR 2016, section 4, after
        Sundaram, Brox, Keutzer. *Dense point trajectories by GPU-accelerated large displacement optical
        flow*. ECCV 2010.
    """
    if forward_flow.shape != backward_flow.shape or forward_flow.ndim != 4 or forward_flow.shape[1] != 2:
        raise ValueError(
            "`forward_flow` and `backward_flow` must have the same shape (batch, 2, height, width), "
            f"got {tuple(forward_flow.shape)} and {tuple(backward_flow.shape)}."
        )
    smoothing = number(smoothing, "`smoothing`", least=0)
    backward = at_least_float32(backward_flow)
    forward = warp(forward_flow.to(backward), backward)
    size = _square(backward)
    hidden = _square(forward + backward) > 0.01 * (_square(forward) + size) + 0.5
    around = pad(backward, (1, 1, 1, 1), mode="replicate")
    across = (around[:, :, 1:-1, 2:] - around[:, :, 1:-1, :-2]) / 2
    down = (around[:, :, 2:, 1:-1] - around[:, :, :-2, 1:-1]) / 2
    border = _square(across) + _square(down) > 0.01 * size + 0.002
    inside = stays_inside(backward)
    weights = torch.ones_like(size).masked_fill(border, 0).masked_fill(hidden, -1).masked_fill(~inside, 0)
    return _blurred(weights, smoothing).clamp(0, 1)


def stays_inside(flow: Tensor) -> Tensor:
    """Where a flow points into the frame, (batch, 1, height, width)."""
    y, x = _targets(flow)
    return (y >= 0) & (y <= y.shape[2] - 1) & (x >= 0) & (x <= x.shape[3] - 1)


def _targets(flow: Tensor) -> tuple[Tensor, Tensor]:
    """The rows and the columns that a flow points to, each (batch, 1, height, width)."""
    rows = torch.arange(flow.shape[2], device=flow.device, dtype=flow.dtype)
    columns = torch.arange(flow.shape[3], device=flow.device, dtype=flow.dtype)
    return flow[:, 1:] + rows[:, None], flow[:, :1] + columns


def _square(flow: Tensor) -> Tensor:
    return flow.square().sum(1, keepdim=True)


def _blurred(weights: Tensor, deviation: float) -> Tensor:
    if deviation == 0:
        return weights
    radius = math.ceil(2 * deviation)
    taps = [math.exp(-((index / deviation) ** 2) / 2) for index in range(-radius, radius + 1)]
    height, width = weights.shape[2:]
    padded = pad(weights, (radius,) * 4, mode="replicate")
    rows = torch.stack([tap * padded[:, :, n : n + height] for n, tap in enumerate(taps)]).sum(0)
    blurred = torch.stack([tap * rows[..., n : n + width] for n, tap in enumerate(taps)]).sum(0)
    return blurred / sum(taps) ** 2
