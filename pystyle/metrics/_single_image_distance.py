import torch
from torch import Tensor

from pystyle.encoders import Encoder
from pystyle.functional import gaussian_wasserstein_distance
from pystyle.metrics._features import checked_encoder
from pystyle.metrics._pictures import pictures
from pystyle.metrics._statistics import FeatureStatistics


class SingleImageDistance:
    """The Fréchet distance of two images, from the features at their positions: less is nearer.

    What the FID is for sets of pictures, with as many vectors as the layer has positions. It compares means
    and covariances, and knows nothing of where features are. Its size depends on the network and the layer.

    Args:
        encoder: The network.
        layer: Its layer.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from pystyle.encoders import SequentialEncoder
        >>> distance = SingleImageDistance(SequentialEncoder({"same": nn.Identity()}), "same")
        >>> distance(torch.full((1, 3, 4, 4), 0.5), torch.ones(1, 3, 2, 6))     # 3 (1/2)²
        tensor([0.7500], dtype=torch.float64)

    Note:
        Published figures, as SIFID, are with the first 64 channels of the Inception network of the FID. Any
        encoder serves, best one that the pictures were not made with.

    References:
        Shaham, Dekel and Michaeli, *SinGAN: Learning a Generative Model from a Single Natural Image*, ICCV
        2019, section 3.2.
    """

    def __init__(self, encoder: Encoder, layer: str = "relu2_2") -> None:
        self.encoder = checked_encoder(encoder)
        self.layer = layer

    @torch.no_grad()
    def __call__(self, image: Tensor, reference: Tensor) -> Tensor:
        """The distances.

        Args:
            image: The pictures.
            reference: What they are compared with, of any size: one image, or as many.

        Raises:
            TypeError: If one is no floating tensor.
            ValueError: If they leave [0, 1], the batches differ, or a layer has a single position.

        Shape:
            - image, reference: (batch, 3, height, width)
            - output: (batch), in float64
        """
        own, other = (self._statistics(part) for part in pictures(image, reference, "reference"))
        others = other if len(other) == len(own) else other * len(own)
        return torch.stack(
            [
                gaussian_wasserstein_distance(x.mean, x.covariance, y.mean, y.covariance)
                for x, y in zip(own, others, strict=True)
            ]
        )

    def _statistics(self, images: Tensor) -> list[FeatureStatistics]:
        maps = self.encoder(images.to(self.encoder.image_dtype), [self.layer])[self.layer]
        found = []
        for features in maps:
            statistics = FeatureStatistics()
            statistics.update(features.flatten(1).mT)
            found.append(statistics)
        return found
