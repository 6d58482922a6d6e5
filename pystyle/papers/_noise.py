"""The noise that papers start from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle._arguments import seed_number


def seeded_normal(shape: Sequence[int], seed: int | None) -> Tensor:
    """Normal numbers in float32 on the CPU, where all devices get the same.

    Args:
        shape: Of the noise.
        seed: Of the numbers; None for others each time.

    Raises:
        TypeError, ValueError: If `seed` cannot be one.
    """
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed_number(seed))
    return torch.randn(*shape, generator=generator, dtype=torch.float32, device="cpu")
