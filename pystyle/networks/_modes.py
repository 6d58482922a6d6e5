"""The modes that a network paints in."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from pystyle.evaluation._precision import HALF_TYPES, precision_on
from pystyle.evaluation._products import products_in
from pystyle.typing import PrecisionChoice

_LOCK = threading.Lock()
_CALLERS: Counter[int] = Counter()
"""How many callers hold a part that was in training mode in evaluation mode, by its `id`."""


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """A module in evaluation mode; after it, each of its parts is in the mode that it was in.

    Several threads may have the same module in it: with the last of them the mode comes back.
    """
    with _LOCK:
        held = [part for part in module.modules() if part.training or id(part) in _CALLERS]
        for part in held:
            part.training = False
            _CALLERS[id(part)] += 1
    try:
        yield
    finally:
        with _LOCK:
            for part in held:
                _CALLERS[id(part)] -= 1
                if not _CALLERS[id(part)]:
                    del _CALLERS[id(part)]
                    part.training = True


@contextmanager
def painting(network: nn.Module, device: torch.device, precision: PrecisionChoice) -> Iterator[None]:
    """A network as it paints: in evaluation mode, and in the precision that is wanted.

    An autocast around it, or what the program says of TF32, holds where ``"float32"`` is wanted.
    """
    chosen = precision_on(device, precision)
    lowered: AbstractContextManager[Any] = nullcontext()
    if chosen in HALF_TYPES:
        lowered = torch.autocast(device.type, HALF_TYPES[chosen])
    elif chosen == "tf32":
        lowered = products_in(chosen)
    with evaluating(network), lowered:
        yield
