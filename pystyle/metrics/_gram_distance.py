from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle.encoders import Encoder
from pystyle.functional import gram_matrix
from pystyle.metrics._distance_to_style import DistanceToStyle


class GramDistance(DistanceToStyle):
    r"""How far the Gram matrices of pictures are from those of a style: less is nearer, 0 for the style.

    With the matrices G of the picture and A of the style, divided by the number of positions,

    .. math:: \operatorname{mean}_l \frac{\| G_l - A_l \|^2}{\| A_l \|^2}

    Most methods minimise it or something near to it, if through another network: it says whether they did,
    and little about how pictures look. :class:`StyleDistance` compares all of the distributions.

    Args:
        encoder: A network that the pictures were not made with.
        layers: Its layers.

    Raises:
        ValueError: If there is no layer.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from pystyle.encoders import SequentialEncoder
        >>> distance = GramDistance(SequentialEncoder({"same": nn.Identity()}), ["same"])
        >>> distance(torch.full((1, 3, 4, 4), 0.5), torch.ones(1, 3, 2, 6)).item()      # (1/4 - 1)²
        0.5625

    References:
        Gatys, Ecker and Bethge, *Image Style Transfer Using Convolutional Neural Networks*, CVPR 2016,
        equation 4. Divided by the squares of the style, and as a measure relative to the content, it is ours.
    """

    def __init__(
        self,
        encoder: Encoder,
        layers: Sequence[str] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
    ) -> None:
        super().__init__(encoder, layers)

    def distances(self, features: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
        """The distances of the matrices."""
        layers = []
        for own, other in zip(features, targets, strict=True):
            found, wanted = gram_matrix(own), gram_matrix(other)
            layers.append((found - wanted).square().sum((1, 2)) / wanted.square().sum((1, 2)))
        return torch.stack(layers).mean(0)
