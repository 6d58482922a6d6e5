import torch
from torch import Tensor


def checked_features(features: Tensor, name: str) -> Tensor:
    """Vectors in float64, after a look at their shape and values."""
    if not isinstance(features, Tensor) or features.ndim != 2:
        got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(f"`{name}` must be a tensor of shape (number, channels), got {got}.")
    if not bool(torch.isfinite(features).all()):
        raise ValueError(f"`{name}` must be finite, got NaN or infinite values.")
    return features.detach().to(torch.float64)


def checked_sets(features: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Two sets of as many channels."""
    x, y = checked_features(features, "features"), checked_features(reference, "reference")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"`reference` must have the channels of `features`, got {y.shape[1]} for {x.shape[1]}."
        )
    return x, y.to(x.device)
