"""What the losses that look for nearest neighbours share: several references as one set, turned views."""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from pystyle._arguments import numbers
from pystyle.images import resize, rotate


def union(sets: Sequence[tuple[Tensor, float]], loss: str) -> list[tuple[Tensor, float]]:
    """All sets as one, (batch, channels, positions); those without weight are left out.

    Raises:
        ValueError: If the weights differ, which could not be honoured.
    """
    sets = [(positions, weight) for positions, weight in sets if weight > 0]
    weights = [weight for _, weight in sets]
    if max(weights) > min(weights) * (1 + 1e-6):
        shares = ", ".join(f"{weight:.3g}" for weight in weights)
        raise ValueError(
            f"{loss} looks for matches among all references at once, so their weights must be equal, got "
            f"{shares}. Use one loss for each, with its own `reference` and `weight`."
        )
    return [(torch.cat([positions for positions, _ in sets], dim=2), 1.0)]


def turned_and_scaled(image: Tensor, rotations: Sequence[float], scales: Sequence[float]) -> list[Tensor]:
    """The image in all combinations; itself, not a copy, where nothing is done to it."""
    return [_scaled(_turned(image, degrees), scale) for degrees, scale in product(rotations, scales)]


def _turned(image: Tensor, degrees: float) -> Tensor:
    return rotate(image, degrees) if degrees else image


def _scaled(image: Tensor, scale: float) -> Tensor:
    size = [max(round(side * scale), 1) for side in image.shape[2:]]
    return resize(image, (size[0], size[1])) if scale != 1 else image


def checked_rotations(rotations: Sequence[float]) -> tuple[float, ...]:
    """The angles as a tuple.

    Raises:
        ValueError: If there are none.
    """
    angles = numbers(rotations, "`rotations`")
    if not angles:
        raise ValueError("`rotations` must have at least one angle, got none. (0,) turns nothing.")
    return angles


def checked_scales(scales: Sequence[float]) -> tuple[float, ...]:
    """The factors as a tuple.

    Raises:
        ValueError: If there are none or one is not positive.
    """
    factors = numbers(scales, "`scales`", above=0)
    if not factors:
        raise ValueError("`scales` must have at least one factor, got none. (1,) leaves the size.")
    return factors
