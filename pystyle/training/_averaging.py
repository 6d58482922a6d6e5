from collections.abc import Callable

import torch
from torch import Tensor


def average_with(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """The average of the weights; after few steps it forgets sooner, so that it does not hang on to the
    start."""

    def average(mean: Tensor, value: Tensor, count: Tensor | int) -> Tensor:
        now = min(decay, (1 + float(count)) / (10 + float(count)))
        return torch.lerp(value, mean, now)

    return average
