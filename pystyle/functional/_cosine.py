import torch
from torch import Tensor


def unit_vectors(vectors: Tensor) -> Tensor:
    """The vectors along axis 1 divided by their lengths; those shorter than 1e-6 become zero.

    Their direction is noise, and its gradient is 1 / length.
    """
    squares = vectors.square().sum(1, keepdim=True)
    missing = squares <= 1e-12
    return vectors * torch.where(missing, 0, squares.clamp_min(1e-12).rsqrt())
