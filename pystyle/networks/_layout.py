from typing import TypeVar

import torch
from torch import nn

_M = TypeVar("_M", bound=nn.Module)


def channels_last(module: _M) -> _M:
    """The module with weights in the order in which convolutions of two dimensions are the fastest."""
    for weight in (*module.parameters(), *module.buffers()):
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return module
