"""The modes that a network paints in."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

from pystyle.evaluation._precision import precision_on, products_in
from pystyle.typing import PrecisionChoice

_HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """A module in evaluation mode; after it, each of its parts is in the mode that it was in."""
    training = [part for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


@contextmanager
def painting(network: nn.Module, device: torch.device, precision: PrecisionChoice) -> Iterator[None]:
    """A network as it paints: in evaluation mode, and in half precision where that is wanted."""
    chosen = precision_on(device, precision)
    dtype = _HALF.get(chosen)
    products = products_in(chosen) if chosen == "tf32" else nullcontext()
    with evaluating(network), products, torch.autocast(device.type, dtype, enabled=dtype is not None):
        yield
