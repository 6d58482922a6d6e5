from typing import NamedTuple

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.metrics._features import checked_sets

_EXACT = "donot_use_mm_for_euclid_dist"
"""Distances of differences and not of products, in which near vectors lose their digits."""


class PrecisionRecall(NamedTuple):
    """What :func:`precision_recall` found.

    Attributes:
        precision: The share of the pictures that are like one of the reference: quality.
        recall: The share of the reference that is like one of the pictures: variety.

    Example:
        >>> import torch
        >>> pictures = torch.tensor([[0.0], [1.0]])
        >>> precision_recall(pictures, pictures, neighbors=1).recall
        1.0
    """

    precision: float
    recall: float


def precision_recall(features: Tensor, reference: Tensor, *, neighbors: int = 3) -> PrecisionRecall:
    """How many pictures are like the reference, and how much of the reference they cover: both best at 1.

    A vector is like those of a set if it lies no further from one of them than this one's k-th neighbour
    within the set. One outlier has a large ball, and both are for sets of about the same number.

    Args:
        features: Of the pictures.
        reference: Of what they are compared with.
        neighbors: The k.

    Raises:
        ValueError: If these are no matrices of as many channels, or a set has not more than k vectors.

    Shape:
        - features: (number, channels)
        - reference: (other number, channels)

    Example:
        >>> import torch
        >>> pictures, reference = torch.tensor([[0.0], [1.0], [9.0]]), torch.tensor([[0.0], [1.0]])
        >>> precision_recall(pictures, reference, neighbors=1)      # 9 is like none; 8 reaches 1
        PrecisionRecall(precision=0.6666666666666666, recall=1.0)

    References:
        Kynkäänniemi, Karras, Laine, Lehtinen and Aila, *Improved Precision and Recall Metric for Assessing
        Generative Models*, NeurIPS 2019, equations 1 and 2.
    """
    x, y = checked_sets(features, reference)
    neighbors = whole_number(neighbors, "`neighbors`", least=1)
    if min(len(x), len(y)) <= neighbors:
        raise ValueError(
            f"`features` and `reference` must have more than {neighbors} vectors, the neighbours that are "
            f"looked at, got {len(x)} and {len(y)}."
        )
    return PrecisionRecall(_share_within(x, y, neighbors), _share_within(y, x, neighbors))


def _share_within(vectors: Tensor, others: Tensor, neighbors: int) -> float:
    """The share of vectors in a ball around one of the others."""
    radii = torch.cdist(others, others, compute_mode=_EXACT).kthvalue(neighbors + 1).values
    distances = torch.cdist(vectors, others, compute_mode=_EXACT)
    return float((distances <= radii).any(1).double().mean())
