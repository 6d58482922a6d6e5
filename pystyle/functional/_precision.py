"""Where the precision of statistics is decided."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor


def at_least_float32(tensor: Tensor) -> Tensor:
    """The tensor in float32 if it is of a lower floating-point precision, otherwise itself."""
    if not tensor.is_floating_point():
        raise TypeError(
            f"Statistics need floating-point features, got {tensor.dtype}. Convert them with `.float()`."
        )
    return tensor.float() if tensor.element_size() < 4 else tensor


def without_autocast(tensor: Tensor) -> AbstractContextManager[Any]:
    """A context in which products of `tensor` keep its own precision."""
    # The meta device, on which shapes are tried out, knows no autocast.
    return nullcontext() if tensor.is_meta else torch.autocast(tensor.device.type, enabled=False)
