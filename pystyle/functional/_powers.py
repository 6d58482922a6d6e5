import torch
from torch import Tensor


def mean_power(squared: Tensor, exponent: float, weights: Tensor | None = None) -> Tensor:
    """The (weighted) mean of |x|^exponent over all entries, given x²; 0 for an empty tensor.

    The gradient at x = 0 is 0 for every exponent, and finite next to it.
    """
    if exponent != 2:
        # A power below 2 has no finite gradient at 0; the smallest normal number stands in for it.
        tiny = torch.finfo(squared.dtype).tiny
        flat = squared <= tiny
        squared = squared.clamp_min(tiny).pow(exponent / 2).masked_fill(flat, 0)
    if weights is None:
        return squared.sum() / max(squared.numel(), 1)
    weights = weights.expand_as(squared)
    return (squared * weights).sum() / weights.sum().clamp_min(1e-12)
