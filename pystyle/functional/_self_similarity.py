from torch import Tensor

from pystyle.functional._gram import positions
from pystyle.functional._precision import without_autocast
from pystyle.functional._vector_sets import directions_or_zero


def self_similarity(features: Tensor) -> Tensor:
    r"""How far the feature vectors of all positions are from each other, relative to the mean.

    .. math:: S_{ij} = \frac{n D_{ij}}{\sum_i D_{ij}} \qquad D_{ij} = 1 - \cos(f_i, f_j)

    Args:
        features: One feature map per image.

    Returns:
        A matrix per image whose columns have the mean one, in float32 at least.

    Raises:
        ValueError: If `features` has no position axis.

    Shape:
        - features: (batch, channels, height, width), or any number of position axes
        - output: (batch, positions, positions)

    Example:
        >>> import torch
        >>> self_similarity(torch.tensor([[[1.0, 2.0, 0.0], [0.0, 0.0, 1.0]]]))
        tensor([[[0.0000, 0.0000, 1.5000],
                 [0.0000, 0.0000, 1.5000],
                 [3.0000, 3.0000, 0.0000]]])

    Note:
        The mean distance is taken as 1e-4 at least: in a flat map it is a rounding error. Vectors
        shorter than 1e-6 have no direction; their cosines are 0.

    References:
        Kolkin, Salavon, Shakhnarovich. *Style transfer by relaxed optimal transport and
        self-similarity*. CVPR 2019, section 2.3; the factor n is that of the authors' code.
    """
    units = directions_or_zero(positions(features))
    with without_autocast(units):
        distances = 1 - units.mT @ units
    return distances / distances.mean(1, keepdim=True).clamp_min(1e-4)
