"""The one way in which a check fails."""

from typing import Any

import torch
from torch import Tensor

from pystyle.typing import Representation


def require(condition: bool | Tensor, promise: str) -> None:
    """Raise an AssertionError that names the broken promise."""
    if not bool(condition):
        raise AssertionError(f"A promise is broken: {promise}")


def close(left: Any, right: Any, tolerance: float) -> bool:
    """Whether all tensors agree, relative to the largest entry."""
    pairs = zip(tensors_of(left), tensors_of(right), strict=True)
    return all(_close(a.double(), b.double(), tolerance) for a, b in pairs)


def _close(left: Tensor, right: Tensor, tolerance: float) -> bool:
    if left.shape != right.shape:
        return False
    scale = torch.cat([left.abs().flatten(), right.abs().flatten(), left.new_zeros(1)]).max()
    return bool(((left - right).abs() <= tolerance * scale + 1e-12).all())


def tensors_of(representation: Representation) -> tuple[Tensor, ...]:
    """The tensors of a representation, which may be a single one."""
    return (representation,) if isinstance(representation, Tensor) else tuple(representation)
