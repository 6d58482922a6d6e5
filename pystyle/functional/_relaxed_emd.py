from typing import Literal

import torch
from torch import Tensor

from pystyle.functional._precision import without_autocast
from pystyle.functional._sets import position_sets
from pystyle.functional._vector_sets import directions_or_zero

_ENTRIES = 2**24  # of the matrix of distances that are held at once


def relaxed_earth_movers_distance(
    features: Tensor, target: Tensor, *, distance: Literal["cosine", "euclidean", "palette"] = "cosine"
) -> Tensor:
    r"""The relaxed earth mover's distance of the feature vectors of two maps.

    .. math:: \max \left( \operatorname{mean}_i \min_j d(f_i, t_j),
              \operatorname{mean}_j \min_i d(f_i, t_j) \right)

    Each of the two drops one of the constraints of optimal transport, so that both are lower
    bounds of it and are found by looking for nearest neighbours.

    Args:
        features: One feature map per image.
        target: Maps of the same channels and any size.
        distance: What moving one vector to another costs: one minus the cosine of their angle;
            their root mean squared difference; or, for colours in [0, 1], the sum of the two,
            seen from mid-grey.

    Returns:
        One number per image, in float32 at least.

    Raises:
        ValueError: If batch sizes or channels differ, or `distance` is unknown.

    Shape:
        - features, target: (batch, channels, height, width), or any number of position axes
        - output: (batch)

    Example:
        >>> import torch
        >>> features = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]])            # twice the vector (1, 0)
        >>> target = torch.tensor([[[2.0, 0.0], [0.0, 3.0]]])              # (2, 0) and (0, 3)
        >>> relaxed_earth_movers_distance(features, target)                # max(0, (0 + 1) / 2)
        tensor([0.5000])

    Note:
        The neighbours are found in pieces and without a graph, and the distances of the pairs are
        computed afterwards: the gradient is that of the formula, and memory grows with the
        positions instead of with their product. Vectors shorter than 1e-6 have no direction; their
        cosines are 0.

        The authors turn the colours of the palette term into decorrelated ones. Their matrix is a
        rotation, and neither distance changes under rotations, so it is left out.

    References:
        Kolkin, Salavon, Shakhnarovich. *Style transfer by relaxed optimal transport and
        self-similarity*. CVPR 2019, section 2.2.
    """
    if distance not in ("cosine", "euclidean", "palette"):
        raise ValueError(f"`distance` must be 'cosine', 'euclidean' or 'palette', got {distance!r}.")
    vectors, targets = position_sets(features, target)
    if distance == "palette":
        vectors, targets = vectors - 0.5, targets - 0.5
    with torch.no_grad(), without_autocast(vectors):
        nearest_target, nearest_vector = _nearest(vectors, targets, distance)
    forth = _distances(vectors, _at(targets, nearest_target), distance).mean(1)
    back = _distances(_at(vectors, nearest_vector), targets, distance).mean(1)
    return torch.maximum(forth, back)


def _nearest(vectors: Tensor, targets: Tensor, distance: str) -> tuple[Tensor, Tensor]:
    """The index of the nearest target of each vector, and of the nearest vector of each target."""
    batch, _, count = vectors.shape
    size = max(1, _ENTRIES // (batch * targets.shape[2]))
    least = vectors.new_full((batch, targets.shape[2]), torch.inf)
    nearest_vector = torch.zeros_like(least, dtype=torch.long)
    nearest_target = []
    for start in range(0, count, size):
        matrix = _distance_matrix(vectors[:, :, start : start + size], targets, distance)
        nearest_target.append(matrix.argmin(2))
        values, indices = matrix.min(1)
        nearest_vector = torch.where(values < least, indices + start, nearest_vector)
        least = torch.minimum(values, least)
    return torch.cat(nearest_target, dim=1), nearest_vector


def _distance_matrix(vectors: Tensor, targets: Tensor, distance: str) -> Tensor:
    """Distances of all pairs (batch, vectors, targets), up to a constant."""
    cosine = euclidean = torch.zeros((), dtype=vectors.dtype, device=vectors.device)
    if distance != "euclidean":
        cosine = -directions_or_zero(vectors).mT @ directions_or_zero(targets)
    if distance != "cosine":
        # `cdist` multiplies large sets out: of large numbers the differences would be rounding errors.
        center = targets.mean(2, keepdim=True)
        distances = torch.cdist((vectors - center).mT, (targets - center).mT)
        euclidean = distances / vectors.shape[1] ** 0.5
    return cosine + euclidean


def _distances(vectors: Tensor, targets: Tensor, distance: str) -> Tensor:
    """The distances of corresponding vectors."""
    cosine = euclidean = torch.zeros((), dtype=vectors.dtype, device=vectors.device)
    if distance != "euclidean":
        cosine = 1 - (directions_or_zero(vectors) * directions_or_zero(targets)).sum(1)
    if distance != "cosine":
        euclidean = torch.linalg.vector_norm(vectors - targets, dim=1) / vectors.shape[1] ** 0.5
    return cosine + euclidean


def _at(vectors: Tensor, indices: Tensor) -> Tensor:
    return vectors.gather(2, indices[:, None].expand(-1, vectors.shape[1], -1))
