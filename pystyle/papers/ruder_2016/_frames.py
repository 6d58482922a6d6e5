"""The frames of a clip: their size, and what they begin with."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle.functional import warp
from pystyle.functional._flow import stays_inside
from pystyle.papers._noise import seeded_normal
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.gatys_2015 import MEAN_COLOUR


def common_size(frames: Sequence[Tensor], label: str = "`frames`") -> tuple[int, int]:
    """The height and width of all frames."""
    sizes = {tuple(frame.shape) for frame in frames}
    if len(sizes) != 1:
        raise ValueError(f"{label} must be at least one image, all of one shape, got {sorted(sizes)}.")
    return frames[0].shape[2], frames[0].shape[3]


def noise_like(frame: Tensor, seed: int) -> Tensor:
    """Faint noise around the mean colour, of the size of a frame."""
    mean = torch.tensor(MEAN_COLOUR, dtype=torch.float32, device="cpu").reshape(1, 3, 1, 1)
    return (mean + 1e-3 / 255 * seeded_normal(frame.shape, seed)).to(frame)


def warped_frame(frame: Tensor, flow: Tensor) -> Tensor:
    """A frame moved along a flow; what comes from outside of it gets the mean colour of ImageNet.

    Args:
        frame: The previous frame.
        flow: The flow from the current frame to the previous one.

    Returns:
        The frame in the pose of the current one.

    Shape:
        - frame, output: (1, 3, height, width), RGB in [0, 1]
        - flow: (1, 2, height, width)

    Example:
        >>> frame, flow = torch.ones(1, 3, 1, 3), torch.zeros(1, 2, 1, 3)
        >>> flow[:, 0] = 1.0
        >>> warped_frame(frame, flow)[0, 2]
        tensor([[1.0000, 1.0000, 0.4076]])
    """
    mean = torch.tensor(MEAN_COLOUR, dtype=torch.float32, device="cpu").reshape(1, 3, 1, 1).to(frame)
    return torch.where(stays_inside(flow).to(frame.device), warp(frame, flow), mean)


def blended(frame: Tensor, warped: Tensor, weights: Tensor, *, variant: Variant = "code") -> Tensor:
    r"""A frame mixed with its warped neighbour where that can be relied on.

    .. math:: \tfrac12 c\, \omega + (1 - \tfrac12 c)\, x \quad \text{(paper)} \qquad
              \frac{c\, \omega + x}{c + 1} \quad \text{(code)}

    Args:
        frame: The result x of the pass before.
        warped: The neighbour ω of this pass.
        weights: The reliability c.
        variant: Whose formula; they are the same where c is 0 or 1.

    Returns:
        The image that the frame begins with in this pass.

    Raises:
        ValueError: If `variant` is unknown.

    Shape:
        - frame, warped, output: (1, 3, height, width)
        - weights: (1, 1, height, width), in [0, 1]

    Example:
        >>> x, other = torch.zeros(1, 3, 1, 2), torch.ones(1, 3, 1, 2)
        >>> blended(x, other, torch.tensor([[[[1.0, 0.0]]]]))[0, 0]
        tensor([[0.5000, 0.0000]])
    """
    check_variant(variant)
    if variant == "paper":
        return weights / 2 * warped + (1 - weights / 2) * frame
    return (weights * warped + frame) / (weights + 1)
