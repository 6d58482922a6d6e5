from collections.abc import Callable
from typing import Literal, NamedTuple, Self, cast

import torch
from torch import Tensor

from pystyle.functional._precision import without_autocast
from pystyle.functional._sets import position_sets
from pystyle.functional._vector_sets import chosen, directions_or_zero

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
    own, other = _Vectors.of(vectors, distance), _Vectors.of(targets, distance)
    with torch.no_grad(), without_autocast(vectors):
        nearest_target, nearest_vector = _nearest(own, other)
    forth = _distances(own, other.at(nearest_target)).mean(1)
    back = _distances(own.at(nearest_vector), other).mean(1)
    return torch.maximum(forth, back)


class _Vectors(NamedTuple):
    """Vectors, (batch, channels, vectors), and their directions: those of both that the distance needs."""

    whole: Tensor | None
    directions: Tensor | None

    @classmethod
    def of(cls, vectors: Tensor, distance: str) -> Self:
        """What this distance needs."""
        return cls(
            None if distance == "cosine" else vectors,
            None if distance == "euclidean" else directions_or_zero(vectors),
        )

    @property
    def any(self) -> Tensor:
        """One of both."""
        return cast(Tensor, self.whole if self.directions is None else self.directions)

    def changed(self, change: Callable[[Tensor], Tensor]) -> Self:
        """Both with the same change."""
        return type(self)(*(None if values is None else change(values) for values in self))

    def at(self, indices: Tensor) -> Self:
        """Those of other indices for each image."""
        return self.changed(lambda values: chosen(values, indices))


def _nearest(vectors: _Vectors, targets: _Vectors) -> tuple[Tensor, Tensor]:
    """The index of the nearest target of each vector, and of the nearest vector of each target."""
    batch, _, count = vectors.any.shape
    num_targets = targets.any.shape[2]
    size = max(1, _ENTRIES // (batch * num_targets))
    least = vectors.any.new_full((batch, num_targets), torch.inf)
    nearest_vector = torch.zeros_like(least, dtype=torch.long)
    nearest_target = []
    for start in range(0, count, size):
        stop = start + size
        matrix = _distance_matrix(vectors.changed(lambda values: values[:, :, start:stop]), targets)  # noqa: B023
        nearest_target.append(matrix.argmin(2))
        values, indices = matrix.min(1)
        nearest_vector = torch.where(values < least, indices + start, nearest_vector)
        least = torch.minimum(values, least)
    return torch.cat(nearest_target, dim=1), nearest_vector


def _distance_matrix(vectors: _Vectors, targets: _Vectors) -> Tensor:
    """Distances of all pairs (batch, vectors, targets), up to a constant."""
    found = vectors.any.new_zeros(())
    if vectors.directions is not None and targets.directions is not None:
        found = -vectors.directions.mT @ targets.directions
    if vectors.whole is not None and targets.whole is not None:
        # `cdist` multiplies large sets out: of large numbers the differences would be rounding errors.
        center = targets.whole.mean(2, keepdim=True)
        distances = torch.cdist((vectors.whole - center).mT, (targets.whole - center).mT)
        found = found + distances / vectors.whole.shape[1] ** 0.5
    return found


def _distances(vectors: _Vectors, targets: _Vectors) -> Tensor:
    """The distances of corresponding vectors."""
    found = vectors.any.new_zeros(())
    if vectors.directions is not None and targets.directions is not None:
        found = 1 - (vectors.directions * targets.directions).sum(1)
    if vectors.whole is not None and targets.whole is not None:
        differences = torch.linalg.vector_norm(vectors.whole - targets.whole, dim=1)
        found = found + differences / vectors.whole.shape[1] ** 0.5
    return found
