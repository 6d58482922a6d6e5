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

        Of the matrix of all pairs only some rows exist at a time; they are computed again for the
        gradient where they are more than one block.

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
    blocks = blocks_of(vectors, len(vectors) * reference.shape[2])
    if len(blocks) == 1:
        return _best(vectors, reference, bandwidth).mean(1)
    best: list[Tensor] = [
        checkpoint(_best, block, reference, bandwidth, use_reentrant=False, preserve_rng_state=False)
        for block in blocks
    ]
    return torch.stack(best).amax(0).mean(1)


def _best(vectors: Tensor, reference: Tensor, bandwidth: float) -> Tensor:
    """The largest share that each vector of the reference has in the similarities of a vector."""
    with without_autocast(vectors):
        # Where products are rounded coarsely (TF32), cosines exceed 1 by more than ε.
        distances = (1 - vectors.mT @ reference).clamp_min(0)
    relative = distances / (distances.amin(2, keepdim=True) + _EPS)
    # The 1 of the paper's 1 - d cancels in the quotient.
    return torch.softmax(-relative / bandwidth, dim=2).amax(1)
