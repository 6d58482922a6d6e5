import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from pystyle.encoders import Encoder
from pystyle.functional._precision import at_least_float32, without_autocast
from pystyle.metrics._features import checked_encoder
from pystyle.metrics._pictures import same_size

_ROWS = 1024
"""Positions whose similarities to all others are in memory at the same time."""


class StructureDistance:
    r"""How much the structure of a content has changed, whatever its colours and textures: 0 for none.

    Each position p of a layer of C channels is similar to each other q by

    .. math:: S_{pq} = \operatorname{softmax}_q \left( F_p \cdot F_q / C^2 \right)

    and the distance is the mean over the positions of the Kullback-Leibler divergence of the similarities of
    the picture from those of the content. Where features are small, all are alike to it, and it sees little.

    Args:
        encoder: The network: :func:`pystyle.encoders.vgg19` with the weights of torchvision for the published
            distance.
        layer: Its layer.

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> distance = StructureDistance(vgg19(weights=None))
        >>> content = torch.rand(2, 3, 32, 32)
        >>> distance(content, content)
        tensor([0., 0.])

    Note:
        Published figures are sums over the positions, as the code of the authors computes them: multiply by a
        sixteenth of the number of pixels.

    References:
        CFSD, the content feature structural distance: Chung, Hyun and Heo, *Style Injection in Diffusion*,
        CVPR 2024; C² is that of their code.
    """

    def __init__(self, encoder: Encoder, layer: str = "relu3_1") -> None:
        self.encoder = checked_encoder(encoder)
        self.layer = layer

    @torch.no_grad()
    def __call__(self, image: Tensor, content: Tensor) -> Tensor:
        """The distances.

        Args:
            image: The pictures.
            content: Their contents: one image, or as many.

        Raises:
            TypeError: If one is no floating tensor.
            ValueError: If they leave [0, 1], or their sizes or batches differ.

        Shape:
            - image, content: (batch, 3, height, width)
            - output: (batch), in the type of the encoder, or float32 if that is half precision
        """
        own, other = (self._vectors(part) for part in same_size(image, content, name="content"))
        other = other.expand_as(own)
        total = own.new_zeros(len(own))
        # In half precision the similarities would have no sum of 1, and the distance could be negative.
        with without_autocast(own):
            for rows, other_rows in zip(
                torch.split(own, _ROWS, 1), torch.split(other, _ROWS, 1), strict=True
            ):
                found, wanted = log_softmax(rows @ own.mT, 2), log_softmax(other_rows @ other.mT, 2)
                total = total + (wanted.exp() * (wanted - found)).sum((1, 2))
        return total / own.shape[1]

    def _vectors(self, image: Tensor) -> Tensor:
        """The features of each position, divided by the number of their channels."""
        features = self.encoder(image.to(self.encoder.image_dtype), [self.layer])[self.layer]
        vectors: Tensor = at_least_float32(features).flatten(2).mT / features.shape[1]
        return vectors
