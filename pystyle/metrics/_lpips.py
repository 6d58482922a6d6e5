from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from pystyle.encoders import Encoder
from pystyle.functional import unit_vectors
from pystyle.losses import LPIPSLoss
from pystyle.metrics._features import checked_encoder
from pystyle.metrics._pictures import same_size


class LPIPS:
    r"""The perceptual distance of pictures: 0 for equal ones, about 1 for those that have nothing in common.

    .. math:: \sum_l \operatorname{mean}_p \sum_c w_{lc} \left( \hat F_{lpc} - \hat T_{lpc} \right)^2

    of the features F and T, divided at each position by their length, with learnt weights w. Between a
    picture and its content it is what style transfer has changed, whether for better or worse: it cannot tell
    strokes from noise.

    Args:
        encoder: The network: :func:`pystyle.encoders.vgg16` or :func:`~pystyle.encoders.alexnet` with the
            weights of torchvision for the published distances.
        heads: ``"vgg16"`` or ``"alexnet"`` for the published weights of the channels, which need the extra
            ``metrics``; or weights of one's own by layer.

    Raises:
        ValueError: If `heads` is unknown.
        ImportError: If the published weights are not installed.

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg16
        >>> distance = LPIPS(vgg16(weights=None))
        >>> picture = torch.rand(2, 3, 32, 32)
        >>> distance(picture, picture)
        tensor([0., 0.])

    References:
        Zhang, Isola, Efros, Shechtman and Wang, *The Unreasonable Effectiveness of Deep Features as a
        Perceptual Metric*, CVPR 2018, equation 1; the weights are its authors', version 0.1.
    """

    def __init__(
        self, encoder: Encoder, heads: Literal["alexnet", "vgg16"] | Mapping[str, Tensor] = "vgg16"
    ) -> None:
        self.encoder = checked_encoder(encoder)
        self._loss = LPIPSLoss(heads)

    @torch.no_grad()
    def __call__(self, image: Tensor, reference: Tensor) -> Tensor:
        """The distances.

        Args:
            image: The pictures.
            reference: What they are compared with: one image, or as many.

        Raises:
            TypeError: If one is no floating tensor.
            ValueError: If they leave [0, 1], or their sizes or batches differ.

        Shape:
            - image, reference: (batch, 3, height, width)
            - output: (batch), in the type of the encoder
        """
        pictures = (part.to(self.encoder.image_dtype) for part in same_size(image, reference))
        own, other = (self.encoder(part, list(self._loss.layers)) for part in pictures)
        total: Tensor = next(iter(own.values())).new_zeros(len(image))
        for layer in self._loss.layers:
            difference = (unit_vectors(own[layer]) - unit_vectors(other[layer])).square()
            head = self._loss.at(layer).get_buffer("head_0").to(difference)
            total = total + (difference * head[:, None, None]).sum(1).mean((1, 2))
        return total
