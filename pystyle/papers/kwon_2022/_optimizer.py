from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor
from torch.optim import Adam

from pystyle._arguments import whole_number


class HalvedAdam(Adam):
    """Adam with a learning rate that is halved every so many steps.

    How many steps were taken is kept with its state, so that a run goes on where it was.

    Args:
        params: What is moved.
        lr: The learning rate of the first steps.
        every: After how many steps it is halved.

    Raises:
        ValueError: If `every` is not positive.

    Example:
        >>> import torch
        >>> weight = torch.ones(1, requires_grad=True)
        >>> optimizer = HalvedAdam([weight], lr=0.1, every=2)
        >>> for _ in range(5):
        ...     _ = optimizer.step(lambda: weight.sum())
        >>> optimizer.param_groups[0]["lr"]
        0.025
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 5e-4, *, every: int = 100) -> None:
        super().__init__(params, lr=lr)
        for group in self.param_groups:
            group["every"], group["taken"] = whole_number(every, "`every`", least=1), 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step, and halve the learning rate if it is time."""
        loss = super().step(closure)
        for group in self.param_groups:
            group["taken"] += 1
            if group["taken"] % group["every"] == 0:
                group["lr"] /= 2
        return loss
