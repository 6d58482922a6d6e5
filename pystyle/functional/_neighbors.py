"""Nearest neighbours among feature vectors.

Two feature maps of 128 x 128 positions have 2.7e8 pairs of them. So similarities are computed for some of
the vectors at a time, and what is kept of them is the index of the best.
"""

from typing import get_args

import torch
from torch import Tensor

from pystyle.functional._distances import mean_squared_error
from pystyle.functional._gram import positions
from pystyle.functional._precision import without_autocast
from pystyle.functional._vector_sets import blocks_of, checked_sets, chosen, directions, safe_lengths
from pystyle.typing import Metric


def nearest_neighbors(vectors: Tensor, candidates: Tensor, *, metric: Metric = "cosine") -> Tensor:
    r"""The index of the candidate that is nearest to each vector.

    .. math:: i^*_p = \arg\max_q \frac{v_p \cdot c_q}{\|v_p\| \|c_q\|}
              \qquad\text{or}\qquad i^*_p = \arg\min_q \|v_p - c_q\|

    The length of :math:`v_p` changes nothing: dividing by the length of the candidate alone finds the
    same neighbours.

    Args:
        vectors: What neighbours are looked for.
        candidates: Among what they are looked for.
        metric: ``"cosine"``: the smallest angle; of patches it is called normalised cross-correlation.
            ``"centered_cosine"``: the same after the mean of each set was subtracted from it, without
            which all angles between outputs of a ReLU are acute. ``"euclidean"``: the smallest distance.

    Returns:
        Indices of candidates, without a gradient. Of equally near ones it may be any.

    Raises:
        ValueError: If the shapes do not fit each other, there is no candidate, or `metric` is unknown.

    Shape:
        - vectors: (batch, channels, positions), or any number of position axes
        - candidates: (batch, channels, other positions), or any number of position axes
        - output: (batch, positions)

    Example:
        >>> import torch
        >>> vectors = torch.tensor([[[3.0], [3.0]]])
        >>> candidates = torch.tensor([[[9.0, 2.0], [9.0, 3.0]]])   # the same direction, a nearer point
        >>> nearest_neighbors(vectors, candidates), nearest_neighbors(vectors, candidates, metric="euclidean")
        (tensor([[0]]), tensor([[1]]))

    Note:
        A vector of length 0 is at right angles to all others.
    """
    if metric not in get_args(Metric):
        raise ValueError(f"`metric` must be one of {get_args(Metric)}, got {metric!r}.")
    vectors, candidates = checked_sets(vectors.detach(), candidates.detach())
    lengths = safe_lengths(candidates, candidates)
    if metric == "euclidean":
        # No distance changes, and of large numbers the differences below would be rounding errors.
        center = candidates.mean(2, keepdim=True)
        vectors, candidates = vectors - center, candidates - center
    if metric == "centered_cosine":
        vectors = vectors - vectors.mean(2, keepdim=True)
        centered = candidates - candidates.mean(2, keepdim=True)
        candidates, lengths = centered, safe_lengths(centered, candidates)
    euclidean = metric == "euclidean"
    with without_autocast(vectors):
        images = zip(vectors, candidates, lengths, strict=True)
        return torch.stack([_nearest(*image, euclidean=euclidean) for image in images])


def _nearest(vectors: Tensor, candidates: Tensor, lengths: Tensor, *, euclidean: bool) -> Tensor:
    # |v - c|² = |v|² - 2 (v·c - |c|²/2), and |v|² is the same for all candidates.
    halves = candidates.square().sum(0) / 2 if euclidean else None
    indices = []
    for block in blocks_of(vectors, candidates.shape[1]):
        products = block.mT @ candidates
        similarity = products.div_(lengths) if halves is None else products.sub_(halves)
        indices.append(similarity.argmax(1))
    return torch.cat(indices) if indices else vectors.new_empty(0, dtype=torch.long)


def replace_features(features: Tensor, reference: Tensor, *, metric: Metric = "centered_cosine") -> Tensor:
    """The features with the vector of each position replaced by the nearest one of the reference.

    Args:
        features: One feature map per image.
        reference: Where the new vectors come from; its size may be another.
        metric: What nearest means; see :func:`nearest_neighbors`.

    Returns:
        A new feature map, in float32 at least, with a gradient for `reference` only.

    Raises:
        ValueError: As :func:`nearest_neighbors`.

    Shape:
        - features, output: (batch, channels, height, width), or any number of position axes
        - reference: (batch, channels, other height, other width), or any number of position axes

    Example:
        >>> import torch
        >>> content = torch.tensor([[[[1.0, 5.0]], [[4.0, 1.0]]]])
        >>> style = torch.tensor([[[[0.0, 7.0, 0.0]], [[0.0, 0.0, 8.0]]]])
        >>> replace_features(content, style, metric="cosine")
        tensor([[[[0., 7.]],
        <BLANKLINE>
                 [[8., 0.]]]])

    References:
        Kolkin et al. *Neural neighbor style transfer*. 2022. Its authors' code matches hypercolumns,
        which :class:`~pystyle.encoders.HypercolumnEncoder` gives, by the centred cosine.
    """
    indices = nearest_neighbors(features, reference, metric=metric)
    return chosen(positions(reference), indices).reshape(features.shape)


def nearest_neighbor_distance(vectors: Tensor, candidates: Tensor, *, centered: bool = False) -> Tensor:
    r"""The mean cosine distance of the vectors to the nearest candidate of each.

    .. math:: \frac{1}{P} \sum_p \min_q \left( 1 - \frac{v_p \cdot c_q}{\|v_p\| \|c_q\|} \right)

    Args:
        vectors: What is measured.
        candidates: What is near or far.
        centered: Subtract the mean of each set from it first.

    Returns:
        A scalar from 0 to 2, in float32 at least. The choice of the neighbours has no gradient.

    Raises:
        ValueError: If the shapes do not fit each other or there is no candidate.

    Shape:
        - vectors: (batch, channels, positions), or any number of position axes
        - candidates: (batch, channels, other positions), or any number of position axes

    Example:
        >>> import torch
        >>> vectors = torch.tensor([[[4.0, 0.0], [3.0, 2.0]]])
        >>> candidates = torch.tensor([[[1.0], [0.0]]])
        >>> nearest_neighbor_distance(vectors, candidates)   # the mean of 1 - 0.8 and 1 - 0
        tensor(0.6000)

    References:
        Zhang et al. *ARF: artistic radiance fields*. ECCV 2022, equation 1 (not centred). Kolkin et al.
        *Neural neighbor style transfer*. 2022 (centred).
    """
    vectors, candidates = checked_sets(vectors, candidates)
    centers = (vectors.mean(2, keepdim=True), candidates.mean(2, keepdim=True)) if centered else (None, None)
    vectors, candidates = directions(vectors, centers[0]), directions(candidates, centers[1])
    neighbors = chosen(candidates, nearest_neighbors(vectors, candidates))
    distances = 1 - (vectors * neighbors).sum(1)
    return distances.sum() / max(distances.numel(), 1)


def mrf_energy(patches: Tensor, candidates: Tensor, *, matching: Metric = "cosine") -> Tensor:
    r"""The mean squared difference of patches to the nearest candidate of each.

    .. math:: \frac{1}{P D} \sum_p \| v_p - c_{i^*_p} \|^2

    Args:
        patches: What :func:`patches` makes of features.
        candidates: The patches of the reference.
        matching: What nearest means; see :func:`nearest_neighbors`.

    Returns:
        A scalar, in float32 at least. The choice of the neighbours has no gradient.

    Raises:
        ValueError: If the shapes do not fit each other, there is no candidate, or `matching` is unknown.

    Shape:
        - patches: (batch, values of a patch, patches)
        - candidates: (batch, values of a patch, other patches)

    Example:
        >>> import torch
        >>> vectors = torch.tensor([[[3.0], [3.0]]])
        >>> candidates = torch.tensor([[[9.0, 2.0], [9.0, 3.0]]])
        >>> mrf_energy(vectors, candidates), mrf_energy(vectors, candidates, matching="euclidean")
        (tensor(36.), tensor(0.5000))

    Note:
        The paper takes the sum instead of the mean.

    References:
        Li, Wand. *Combining Markov random fields and convolutional neural networks for image synthesis*.
        CVPR 2016, equations 2 and 3.
    """
    patches, candidates = checked_sets(patches, candidates)
    indices = nearest_neighbors(patches, candidates, metric=matching)
    return mean_squared_error(patches, chosen(candidates, indices))
