from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle.losses._representation import combine
from pystyle.networks import Stylizer


def example_code(network: Stylizer, examples: Tensor) -> Any:
    """The code for a picture of each example: its own, or that of the one style that they are examples of."""
    if network.styles:
        return learned_code(network, [0] * len(examples))
    return network.represent_style(examples)


def learned_code(network: Stylizer, numbers: Sequence[int]) -> Any:
    """The code of learned styles with these numbers, one for each picture."""
    codes = [network.named_code(network.styles[number]) for number in numbers]
    return combine(codes, lambda tensors: torch.cat(list(tensors)))
