from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle._arguments import seed_number, whole_number
from pystyle.encoders import Encoder
from pystyle.functional import quantile_distance, random_directions
from pystyle.functional._gram import positions
from pystyle.functional._precision import without_autocast
from pystyle.metrics._distance_to_style import DistanceToStyle
from pystyle.metrics._sorting import ascending

_AT_ONCE = 16
"""Directions whose projections are in memory at the same time."""


class StyleDistance(DistanceToStyle):
    r"""How far pictures are from a style, through a network that no objective used: less is nearer.

    The features of a layer are projected on random directions d. With the quantile functions :math:`F_d` of
    the picture and :math:`G_d` of the style, a layer counts

    .. math:: \frac{\sum_d \int (F_d^{-1} - G_d^{-1})^2}{\sum_d \operatorname{var} G_d}

    and the distance is the mean of the layers: 0 for the style itself, 1 where all features are its mean
    feature. It compares whole distributions and not their moments, and knows nothing of where features are.
    Noise can halve it: look at :func:`noise_ratio` beside it.

    Args:
        encoder: A network that the pictures were not made with.
        layers: Its layers.
        num_directions: How many directions there are in each layer.
        seed: What is drawn depends on it alone.

    Raises:
        ValueError: If there is no layer, or a number is not positive.

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg16
        >>> distance = StyleDistance(vgg16(weights=None), num_directions=4)
        >>> style, content = torch.rand(1, 3, 48, 32), torch.rand(2, 3, 32, 32) / 2
        >>> distance(style, style), distance(content, style, content)
        (tensor([0.]), tensor([1., 1.]))

    References:
        Rabin, Peyré, Delon and Bernot, *Wasserstein Barycenter and Its Application to Texture Mixing*, 2011;
        of features of VGG: Heitz, Vanhoey, Chambon and Belcour, CVPR 2021. Divided by the variance, and as a
        measure relative to the content, it is ours.
    """

    def __init__(
        self,
        encoder: Encoder,
        layers: Sequence[str] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
        *,
        num_directions: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__(encoder, layers)
        self.num_directions = whole_number(num_directions, "`num_directions`", least=1)
        self.seed = seed_number(seed)

    def distances(self, features: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
        """The distances of the distributions of features."""
        generator = torch.Generator().manual_seed(self.seed)
        layers = []
        for own, other in zip(features, targets, strict=True):
            apart, varied = [], []
            drawn = random_directions(self.num_directions, own.shape[1], generator=generator)
            for directions in torch.split(drawn, _AT_ONCE):
                values, target = (_projections(part, directions) for part in (own, other))
                count = max(len(values), len(target))
                apart.append(quantile_distance(values.expand(count, -1, -1), target.expand(count, -1, -1)))
                varied.append(target.var(2, correction=0))
            layers.append(torch.cat(apart, 1).sum(1) / torch.cat(varied, 1).sum(1))
        return torch.stack(layers).mean(0)


def _projections(features: Tensor, directions: Tensor) -> Tensor:
    """Ascending, (batch, directions, positions)."""
    vectors = positions(features)
    with without_autocast(vectors):
        return ascending(directions.to(vectors) @ vectors)
