"""Gradients that are as large as float16 holds between two points of a graph, and right outside of them."""

from typing import Any

import torch
from torch import Tensor

_LARGEST = 16
"""What the largest gradient is scaled to: sums in a backward pass exceed it, and float16 ends at 65,504."""


class GradientScale:
    """The factor that the gradients of one pass were multiplied by; set by the backward pass."""

    factor: Tensor


def scale_gradients(features: dict[str, Tensor], scale: GradientScale) -> dict[str, Tensor]:
    """The features in float32, whose gradients are multiplied by a factor that they have in common."""
    return dict(zip(features, _Scale.apply(scale, *features.values()), strict=True))


def unscale_gradient(image: Tensor, scale: GradientScale) -> Tensor:
    """The image, whose gradient is divided by that factor."""
    unscaled: Tensor = _Unscale.apply(image, scale)
    return unscaled


class _Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scale: GradientScale, *features: Tensor) -> tuple[Tensor, ...]:
        ctx.scale, ctx.dtypes = scale, [feature.dtype for feature in features]
        return tuple(feature.to(torch.float32, copy=True) for feature in features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        largest = torch.stack([gradient.abs().max() for gradient in gradients]).max()
        # A power of two rounds nothing.
        factor = torch.exp2(torch.floor(torch.log2(_LARGEST / largest.clamp_min(1e-30))))
        ctx.scale.factor = factor
        pairs = zip(gradients, ctx.dtypes, strict=True)
        return None, *((gradient * factor).to(dtype) for gradient, dtype in pairs)


class _Unscale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, scale: GradientScale) -> Tensor:
        ctx.scale = scale
        return image.view_as(image)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient / ctx.scale.factor, None
