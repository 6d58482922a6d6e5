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
    return torch.randn(*shape, generator=_generator(seed), dtype=torch.float32, device="cpu")


def seeded_uniform(shape: Sequence[int], seed: int | None) -> Tensor:
    """Numbers from 0 to 1, as :func:`seeded_normal` draws its own."""
    return torch.rand(*shape, generator=_generator(seed), dtype=torch.float32, device="cpu")


def _generator(seed: int | None) -> torch.Generator:
    generator = torch.Generator()
    if seed is None:
        generator.seed()
        return generator
    return generator.manual_seed(seed_number(seed))
