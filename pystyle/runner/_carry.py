"""What an optimizer carries from one level of a pyramid to the next."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.optim import Optimizer


@torch.no_grad()
def carry_state(old: Optimizer, new: Optimizer) -> None:
    """Resize what the old optimizer remembers per pixel, such as Adam's moments, for the new one.

    An optimizer with other memories (the pairs of L-BFGS are vectors of the old size) starts anew, and so
    does one whose parameters are not pixels.
    """
    before, after = old.param_groups[0]["params"][0], new.param_groups[0]["params"][0]
    if len(old.param_groups[0]["params"]) > 1 or before.ndim != 4:
        return
    state = old.state[before]
    tensors = [value for value in state.values() if isinstance(value, Tensor) and value.ndim > 0]
    if all(value.shape == before.shape for value in tensors):
        new.state[after] = {name: _resized_state(value, after) for name, value in state.items()}


def _resized_state(value: object, like: Tensor) -> object:
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    # Linear weights are the same for all memories and positive. With others the mean of squares of Adam comes
    # out near 0 where the mean does not, and the step between them paints dots.
    return interpolate(value, like.shape[2:], mode="bilinear", align_corners=False)
