"""Feature maps as sets of vectors, (batch, channels, positions), whose order does not matter."""

import math

import torch
from torch import Tensor

from pystyle.functional._gram import positions

_LARGEST_BLOCK = 2**24
"""Entries of a matrix of pairs that exist at the same time: 64 MiB in single precision.

Blocks of 16 MiB are no slower, but glibc keeps what is smaller than 32 MiB in its heap, which crumbles: at
512 pixels the peak was 0.4 GiB higher with them for patches, and 1.1 GiB for the contextual similarity.
"""


def directions(vectors: Tensor, center: Tensor | None = None) -> Tensor:
    """The vectors, seen from a centre, divided by their lengths.

    One that is a thousand times shorter than usual is rounding error or darkness. It is not blown up to
    the length 1, which would give it a gradient a thousand times as large as usual.
    """
    shifted = vectors if center is None else vectors - center
    return shifted / safe_lengths(shifted, vectors)


def directions_or_zero(vectors: Tensor) -> Tensor:
    """The vectors along axis 1 divided by their lengths; those shorter than 1e-6 become zero.

    Their direction is noise, and its gradient is 1 / length.
    """
    squares = vectors.square().sum(1, keepdim=True)
    missing = squares <= 1e-12
    return vectors * torch.where(missing, 0, squares.clamp_min(1e-12).rsqrt())


def safe_lengths(shifted: Tensor, vectors: Tensor) -> Tensor:
    """What vectors are divided by, (batch, 1, positions); never 0."""
    lengths = torch.linalg.vector_norm(shifted, dim=1, keepdim=True)
    # Of channels with large offsets what was shifted is short, but more than rounding error.
    least = torch.maximum(1e-3 * _usual_length(shifted), 1e-5 * _usual_length(vectors))
    floored = torch.maximum(lengths, least)
    return torch.where(floored > 0, floored, torch.ones_like(floored))


def _usual_length(vectors: Tensor) -> Tensor:
    total: Tensor = torch.linalg.vector_norm(vectors.detach(), dim=(1, 2), keepdim=True)
    return total / math.sqrt(max(vectors.shape[2], 1))


def chosen(candidates: Tensor, indices: Tensor) -> Tensor:
    """The candidates at the indices: (batch, channels, positions)."""
    return candidates.gather(2, indices.unsqueeze(1).expand(-1, candidates.shape[1], -1))


def checked_sets(vectors: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """Both sets as (batch, channels, positions), in float32 at least."""
    vectors, candidates = positions(vectors, "A set"), positions(candidates, "A set")
    if vectors.shape[:2] != candidates.shape[:2]:
        raise ValueError(
            "The sets must have the same number of images and channels, got the shapes "
            f"{tuple(vectors.shape)} and {tuple(candidates.shape)}."
        )
    if candidates.shape[2] == 0:
        raise ValueError("There must be at least one candidate for the nearest neighbour, got none.")
    return vectors, candidates


def blocks_of(vectors: Tensor, num_others: int) -> list[Tensor]:
    """The vectors, parted along the last axis so that each part has not too many pairs with the others."""
    size = max(1, _LARGEST_BLOCK // max(num_others, 1))
    return [vectors[..., start : start + size] for start in range(0, vectors.shape[-1], size)]
