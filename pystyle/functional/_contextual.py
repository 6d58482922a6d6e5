import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from pystyle._arguments import number
from pystyle.functional._precision import without_autocast
from pystyle.functional._vector_sets import blocks_of, checked_sets, directions

_EPS = 1e-5
"""Of the paper: keeps the relative distance finite where a vector has an exact twin."""


def contextual_similarity(vectors: Tensor, reference: Tensor, *, bandwidth: float = 0.5) -> Tensor:
    r"""How well the vectors of a reference are each met by some vector of the image.

    .. math:: d_{ij} = 1 - \cos(v_i - \mu, r_j - \mu) \qquad
              \tilde d_{ij} = \frac{d_{ij}}{\min_k d_{ik} + \epsilon} \qquad
              w_{ij} = \exp \frac{1 - \tilde d_{ij}}{h}

    .. math:: \operatorname{CX} = \frac{1}{N} \sum_j \max_i \frac{w_{ij}}{\sum_k w_{ik}}

    Args:
        vectors: The set that is judged.
        reference: The set to be met, with the mean µ. The two may have different numbers of positions.
        bandwidth: The h above. The smaller, the more the nearest vector counts alone.

    Returns:
        One number in (0, 1] per image, in float32 at least. It is 1 if each vector of the reference is the
        clearly nearest one to some vector of the image.

    Raises:
        ValueError: If the shapes do not fit each other, a set is empty, or `bandwidth` is not positive.

    Shape:
        - vectors: (batch, channels, positions), or any number of position axes
        - reference: (batch, channels, other positions), or any number of position axes
        - output: (batch)

    Example:
        >>> import torch
        >>> reference = torch.tensor([[[0.0, 2.0, 1.0], [0.0, 0.0, 3.0]]])
        >>> same, one = reference.flip(2), reference[:, :, :1]
        >>> contextual_similarity(same, reference), contextual_similarity(one, reference)
        (tensor([1.]), tensor([0.3333]))

    Note:
        The authors' code halves the distances, which only makes ε count twice. It subtracts one mean for
        the whole batch, here each image has its own.

        Only vectors that have the largest share of some vector of the reference have a gradient, so a first
        pass finds them, and the graph has no others. Of the matrix of all pairs only some rows exist at a
        time; those of the graph are computed again for the gradient where they are more than one block.

    References:
        Mechrez, Talmi, Zelnik-Manor. *The contextual loss for image transformation with non-aligned
        data*. ECCV 2018, equations 1 to 4.
    """
    bandwidth = number(bandwidth, "`bandwidth`", above=0)
    vectors, reference = checked_sets(vectors, reference)
    if vectors.shape[2] == 0:
        raise ValueError("There must be at least one vector to compare with the reference, got none.")
    center = reference.mean(2, keepdim=True)
    vectors, reference = directions(vectors, center), directions(reference, center)
    pairs = zip(vectors, reference, strict=True)
    return torch.stack([_largest_shares(*pair, bandwidth).mean() for pair in pairs])


def _largest_shares(vectors: Tensor, reference: Tensor, bandwidth: float) -> Tensor:
    """For each vector of the reference the largest share that it has in the similarities of a vector."""
    with torch.no_grad():
        largest, winners = _winners(vectors, reference, bandwidth)
    if not (torch.is_grad_enabled() and (vectors.requires_grad or reference.requires_grad)):
        return largest
    # No other vector has a gradient: of photographs and paintings a quarter to a third of all has one.
    having: Tensor = torch.unique(winners)
    blocks = blocks_of(vectors[:, having], reference.shape[1])
    if len(blocks) == 1:
        return _shares(blocks[0], reference, bandwidth).amax(0)
    best: list[Tensor] = [
        checkpoint(_amax, block, reference, bandwidth, use_reentrant=False, preserve_rng_state=False)
        for block in blocks
    ]
    return torch.stack(best).amax(0)


def _winners(vectors: Tensor, reference: Tensor, bandwidth: float) -> tuple[Tensor, Tensor]:
    """The largest shares, and the numbers of the vectors that have them."""
    largest = reference.new_zeros(reference.shape[1])
    winners, start = torch.zeros_like(largest, dtype=torch.long), 0
    for block in blocks_of(vectors, reference.shape[1]):
        shares, indices = _shares(block, reference, bandwidth).max(0)
        winners = torch.where(shares > largest, indices + start, winners)
        largest = torch.maximum(largest, shares)
        start += block.shape[1]
    return largest, winners


def _amax(vectors: Tensor, reference: Tensor, bandwidth: float) -> Tensor:
    return _shares(vectors, reference, bandwidth).amax(0)


def _shares(vectors: Tensor, reference: Tensor, bandwidth: float) -> Tensor:
    """Of each vector of the reference, (vectors, vectors of the reference); those of a vector add up to 1."""
    with without_autocast(vectors):
        # Where products are rounded coarsely (TF32), cosines exceed 1 by more than ε.
        cosines = (vectors.mT @ reference).clamp_max(1)
    least = 1 - cosines.amax(1, keepdim=True)
    # All that is the same for a row cancels in the quotient.
    return torch.softmax(cosines * (1 / (bandwidth * (least + _EPS))), dim=1)
