from typing import Any, Literal

import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32, without_autocast


def gram_matrix(features: Tensor, *, normalization: Literal["none", "hw", "chw"] = "hw") -> Tensor:
    r"""The Gram matrix of the channels of a feature map.

    .. math:: G_{ij} = \frac{1}{Z} \sum_p F_{ip} F_{jp}

    Args:
        features: One feature map per image.
        normalization: What the sum over the positions is divided by: nothing, the number of
            positions, or the number of positions and channels.

    Returns:
        The symmetric matrix of each image, in float32 at least.

    Raises:
        ValueError: If `features` has no position axis or `normalization` is unknown.
        TypeError: If `features` is not of a floating-point type.

    Shape:
        - features: (batch, channels, height, width), or any number of position axes
        - output: (batch, channels, channels)

    Example:
        >>> import torch
        >>> features = torch.tensor([[[[1.0, 2.0]], [[0.0, 2.0]]]])   # two channels, two positions
        >>> gram_matrix(features, normalization="none")
        tensor([[[5., 4.],
                 [4., 4.]]])
        >>> gram_matrix(features)[0, 0, 0]
        tensor(2.5000)

    Note:
        Gatys et al. do not divide in the matrix but in the loss, by (2 N M)²; their released code
        divides the matrix by M, which is ``"hw"``. Johnson et al. use ``"chw"``.

    References:
        Gatys, Ecker, Bethge. *Image style transfer using convolutional neural networks*. CVPR 2016,
        equation 3.
    """
    vectors = flat_positions(features)
    channels, count = vectors.shape[1:]
    divisors = {"none": 1, "hw": count, "chw": channels * count}
    if normalization not in divisors:
        raise ValueError(f"`normalization` must be one of {tuple(divisors)}, got {normalization!r}.")
    return self_product(vectors, 1.0 / max(divisors[normalization], 1))


def positions(features: Tensor, label: str = "`features`") -> Tensor:
    """The feature map as (batch, channels, positions), in float32 at least."""
    return at_least_float32(flat_positions(features, label))


def flat_positions(features: Tensor, label: str = "`features`") -> Tensor:
    """The feature map as (batch, channels, positions), in its own precision."""
    if features.ndim < 3:
        raise ValueError(
            f"{label} must have the axes (batch, channels, height, width), "
            f"got a tensor of shape {tuple(features.shape)}."
        )
    return features.flatten(2)


def self_product(vectors: Tensor, scale: float) -> Tensor:
    """`scale` times the product of each matrix with its own transpose, in float32 at least."""
    with without_autocast(vectors):
        product: Tensor = _SelfProduct.apply(vectors, scale)
    return product


class _SelfProduct(torch.autograd.Function):
    """autograd multiplies twice for the gradient of x xᵀ; the sum of the two is a single product."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, scale: float) -> Tensor:
        # In their own precision: a copy in float32 would be kept until the backward pass.
        ctx.save_for_backward(vectors)
        ctx.scale = scale
        vectors = at_least_float32(vectors)
        batch, channels, _ = vectors.shape
        unused = vectors.new_empty(()).expand(batch, channels, channels)
        return torch.baddbmm(unused, vectors, vectors.mT, beta=0, alpha=scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (vectors,) = ctx.saved_tensors
        with without_autocast(vectors):
            symmetric = ctx.scale * (gradient + gradient.mT)
            if vectors.dtype == torch.bfloat16:
                # The result has this precision anyway, and nothing is summed up afterwards.
                return symmetric.to(vectors.dtype) @ vectors, None
            product = symmetric @ at_least_float32(vectors)
            return product.to(vectors.dtype), None
