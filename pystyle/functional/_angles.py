import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32

_SHORTEST = 1e-2
"""Of directions: a shorter one is no longer stretched to the length 1, so that its gradient stays finite."""


def spherical_distance(input: Tensor, target: Tensor) -> Tensor:
    r"""Half the square of the angle between vectors of length 1.

    .. math:: \tfrac12 \theta^2 = 2 \arcsin^2 \tfrac{\|x - y\|}{2}

    Args:
        input: Vectors of length 1, along the last axis.
        target: Others, of a shape that fits.

    Returns:
        One number for each pair, from 0 to π² / 2, in float32 at least.

    Raises:
        ValueError: If the vectors have another number of entries.

    Shape:
        - input, target: (..., entries)
        - output: (...)

    Example:
        >>> import torch
        >>> float(spherical_distance(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])))  # (π / 2)² / 2
        1.2337...

    Note:
        It is computed of the arctangent of \|x - y\| / \|x + y\|, which is exact at small and at large
        angles, and has the gradient 0 where the vectors are the same or opposite.

    References:
        Crowson et al. *VQGAN-CLIP: open domain image generation and editing with natural language guidance*.
        ECCV 2022; the formula is that of their code.
    """
    input, target = _checked(input, target)
    angle = 2 * torch.atan2(_length(input - target), _length(input + target))
    return angle.square() / 2


def cosine_distance(input: Tensor, target: Tensor) -> Tensor:
    r"""One less the cosine between directions.

    .. math:: 1 - \frac{x \cdot y}{\|x\| \|y\|}

    Args:
        input: Vectors along the last axis, of any length.
        target: Others, of a shape that fits.

    Returns:
        One number for each pair, from 0 to 2, in float32 at least.

    Raises:
        ValueError: If the vectors have another number of entries.

    Shape:
        - input, target: (..., entries)
        - output: (...)

    Example:
        >>> import torch
        >>> float(cosine_distance(torch.tensor([3.0, 0.0]), torch.tensor([1.0, 0.0])))
        0.0

    Note:
        A vector that is shorter than 0.01 is divided by 0.01. So it is 1 where a vector is 0, and its
        gradient leads from there towards the other, instead of being infinite.
    """
    input, target = _checked(input, target)
    products: Tensor = (_direction(input) * _direction(target)).sum(-1)
    return 1 - products


def _checked(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    if input.ndim == 0 or target.ndim == 0 or input.shape[-1] != target.shape[-1]:
        raise ValueError(
            "`input` and `target` must have the same number of entries along the last axis, got the shapes "
            f"{tuple(input.shape)} and {tuple(target.shape)}."
        )
    return at_least_float32(input), at_least_float32(target)


def _length(vectors: Tensor) -> Tensor:
    squares = vectors.square().sum(-1)
    missing = squares == 0
    return torch.where(missing, 0, torch.where(missing, 1, squares).sqrt())


def _direction(vectors: Tensor) -> Tensor:
    squares = vectors.square().sum(-1, keepdim=True)
    return vectors / squares.clamp_min(_SHORTEST**2).sqrt()
