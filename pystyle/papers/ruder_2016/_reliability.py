"""Where the flow between two frames can be relied on, and what follows from that."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from torch import Tensor

from pystyle.functional import reliability, warp
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.ruder_2016._frames import common_size

Flow: TypeAlias = Callable[[int, int], Tensor]
"""From the numbers of two frames to the optical flow from the first to the second, (1, 2, height, width)."""


def reliable_pixels(flow: Flow, other: int, index: int, variant: Variant) -> Tensor:
    """Where another frame, warped into the one of this index, shows what this shows."""
    smoothing = 0.0 if variant == "paper" else 0.8
    return reliability(flow(other, index), flow(index, other), smoothing=smoothing)


def long_term_weights(weights: Sequence[Tensor], *, variant: Variant = "code") -> list[Tensor]:
    r"""How much each pixel of several previous frames counts: a far one where no nearer one can be relied on.

    .. math:: c_{long}^{(i - j, i)} = \max \left( c^{(i - j, i)} - \sum_{k < j} c^{(i - k, i)}, 0 \right)

    Args:
        weights: The reliability of each previous frame, the nearest first.
        variant: The code subtracts what was left of the nearer frames instead, which is another number where
            weights are neither 0 nor 1.

    Returns:
        The weights in the same order.

    Raises:
        ValueError: If `variant` is unknown.

    Shape:
        - weights, output: each (1, 1, height, width), in [0, 1]

    Example:
        >>> import torch
        >>> near, far = torch.tensor([[[[1.0, 0.0, 0.6]]]]), torch.tensor([[[[1.0, 1.0, 1.0]]]])
        >>> long_term_weights([near, far])[1]
        tensor([[[[0.0000, 1.0000, 0.4000]]]])
    """
    check_variant(variant)
    found = list[Tensor]()
    for index, each in enumerate(weights):
        nearer = weights[:index] if variant == "paper" else found
        left = each
        for other in nearer:
            left = left - other
        found.append(left.clamp_min(0))
    return found


def temporal_error(images: Sequence[Tensor], flow: Flow) -> float:
    """The mean squared difference of each frame to the warped one before, where the flow can be relied on.

    It is what the paper's table 1 compares.

    Args:
        images: The stylised frames.
        flow: As in :func:`style_transfer`.

    Returns:
        The mean over all reliable pixels and colours, for values in [0, 1]; 0 if there are none.

    Raises:
        ValueError: If there are no frames or they differ in size.

    Shape:
        - images: each (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> still = torch.zeros(1, 2, 4, 4)
        >>> temporal_error([torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.5)], lambda i, j: still)
        0.25
    """
    common_size(images, "`images`")
    total, count = 0.0, 0.0
    for index in range(1, len(images)):
        weights = reliable_pixels(flow, index - 1, index, "paper").to(images[index])
        warped = warp(images[index - 1], flow(index, index - 1))
        total += float((weights * (images[index] - warped).square()).sum())
        count += float(3 * weights.sum())
    return total / count if count else 0.0
