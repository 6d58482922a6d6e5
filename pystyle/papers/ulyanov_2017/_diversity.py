from collections.abc import Mapping, Sequence

from torch import Tensor

from pystyle._arguments import number
from pystyle.functional._entropy import mean_log_distance
from pystyle.losses import Loss
from pystyle.typing import IMAGE

_EPS = 0.1 / 255**2
"""That of the authors' code, for squares of levels of 255."""


class DiversityLoss(Loss):
    r"""Minus the entropy of the samples in a batch per entry of a sample, without constants.

    .. math:: - \frac{1}{N} \sum_i \ln \min_{j \neq i} \| x_i - x_j \|

    It compares the images of a batch with each other, and with nothing else: pictures of one content from
    different noise, or textures.

    Args:
        layers: What is compared; the pictures by default.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        eps: What is added to the squares of the distances, so that equal pictures have no infinite loss.

    Raises:
        ValueError: If `eps` is negative. From the criterion: if a batch has a single image.

    Example:
        >>> import torch
        >>> loss, pictures = DiversityLoss(weight=10.0), torch.zeros(2, 3, 8, 8)
        >>> pictures[1, 0, 0, 0] = 0.5                 # ln 2
        >>> round(float(loss.represent(pictures)), 4)
        0.6931

    References:
        :func:`pystyle.functional.nearest_neighbor_entropy` is the estimate with all constants.
    """

    reference = None
    spatial = "set"

    def __init__(
        self,
        layers: str | Sequence[str] = IMAGE,
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        eps: float = _EPS,
    ) -> None:
        super().__init__(layers, weight=weight, layer_weights=layer_weights)
        self.eps = number(eps, "`eps`", least=0)

    def represent(self, features: Tensor) -> Tensor:
        """The loss itself."""
        if len(features) < 2:
            raise ValueError(
                f"`features` must be those of at least two images, which are compared, got {len(features)}."
            )
        return -mean_log_distance(features, eps=self.eps)
