from functools import partial
from typing import Any

import torch
from torch.optim import Optimizer

from pystyle.optim._lbfgs import LBFGS
from pystyle.typing import OptimizerFactory

_NAMED: dict[str, OptimizerFactory] = {
    "lbfgs": LBFGS,
    "adam": partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99)),
}


def optimizer_factory(optimizer: Any) -> OptimizerFactory:
    """What makes the optimizer of a run: a class, a `functools.partial` of one, or a name.

    Raises:
        TypeError: If it is an optimizer that moves other parameters already, or nothing that makes one.
        ValueError: If there is no such name.
    """
    rule = "`optimizer` must be a class of optimizers, a `functools.partial` of one, or 'lbfgs' or 'adam'"
    if isinstance(optimizer, str):
        name = optimizer.lower().replace("-", "")
        if name not in _NAMED:
            raise ValueError(f"{rule}, got {optimizer!r}. Others are given as they are: `torch.optim.SGD`.")
        return _NAMED[name]
    if isinstance(optimizer, Optimizer):
        kind = type(optimizer).__name__
        raise TypeError(
            f"{rule}, because a run makes its own, got an optimizer with parameters, a {kind}. "
            f"Write `partial({kind}, ...)` with its options."
        )
    if not callable(optimizer):
        raise TypeError(f"{rule}, got a {type(optimizer).__name__}.")
    factory: OptimizerFactory = optimizer
    return factory
