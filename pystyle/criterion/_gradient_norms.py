"""Gradients at a layer that are as long as they are told to be, whatever the loss."""

from typing import Any

import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32


def normalize_gradient(features: Tensor, length: float | Tensor, norms: Tensor | None = None) -> Tensor:
    """The features, whose gradient is divided by its L1 norm and multiplied by a length.

    Each image of a batch gets its own norm and an equal part of the length. A gradient of zero stays zero.

    Args:
        features: The features of one layer.
        length: The L1 norm that the gradient of the batch gets.
        norms: The norms to divide by, if the features are a part of a layer; see :func:`image_norms`.
    """
    normalized: Tensor = _Normalize.apply(features, length, norms)
    return normalized


def image_norms(gradient: Tensor) -> Tensor:
    """The L1 norm of each image's part of a gradient.

    Shape:
        - gradient: (batch, channels, height, width)
        - result: (batch, 1, 1, 1)
    """
    return at_least_float32(gradient).abs().sum((1, 2, 3), keepdim=True)


class _Normalize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, length: float | Tensor, norms: Tensor | None) -> Tensor:
        ctx.length, ctx.norms = length, norms
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        norms = image_norms(gradient) if ctx.norms is None else ctx.norms
        # Divided first: no entry exceeds the norm, so nothing overflows. Of a NaN none must become zero.
        directions = torch.where(norms == 0, torch.zeros_like(norms), gradient / norms)
        return (directions * (ctx.length / len(gradient))).to(gradient.dtype), None, None
