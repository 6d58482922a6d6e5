import inspect

from torch.optim import Optimizer

from pystyle.optim import LBFGS


def checked_optimizer(optimizer: Optimizer) -> Optimizer:
    """The optimizer, if it moves weights once for each batch.

    Raises:
        ValueError: If it does not.
    """
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    needed = closure is not None and closure.default is inspect.Parameter.empty
    if needed or isinstance(optimizer, LBFGS):
        raise ValueError(
            f"`optimizer` must move the weights once for each batch, got {type(optimizer).__name__}, which "
            "evaluates several times in a step. Take `torch.optim.Adam`."
        )
    return optimizer
