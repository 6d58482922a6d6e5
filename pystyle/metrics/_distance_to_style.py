"""Distances of pictures to a style through a network, by the statistics of its layers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle.encoders import Encoder
from pystyle.metrics._features import checked_encoder
from pystyle.metrics._pictures import pictures


class DistanceToStyle(ABC):
    """What distances to a style have in common; each says how far the features of a layer are.

    Args:
        encoder: A network that the pictures were not made with.
        layers: Its layers.

    Raises:
        ValueError: If there is no layer.
    """

    def __init__(self, encoder: Encoder, layers: Sequence[str]) -> None:
        if isinstance(layers, str) or not layers:
            raise ValueError(f"`layers` must be names of layers, at least one, got {layers!r}.")
        self.encoder = checked_encoder(encoder)
        self.layers = tuple(layers)

    @torch.no_grad()
    def __call__(self, image: Tensor, style: Tensor, content: Tensor | None = None) -> Tensor:
        """The distances; relative to those of the contents, if they are given.

        Args:
            image: The pictures.
            style: Their styles, of any size: one image, or as many. Give a style at its size in the picture.
            content: Their contents: one image, or as many. A picture that is still its content then has 1.

        Raises:
            TypeError: If one is no floating tensor.
            ValueError: If they leave [0, 1], or the batches differ.

        Shape:
            - image, style, content: (batch, 3, height, width)
            - output: (batch), in the type of the encoder
        """
        own, target = (self._features(part) for part in pictures(image, style, "style"))
        distances = self.distances(own, target)
        if content is None:
            return distances
        return distances / self.distances(self._features(pictures(image, content, "content")[1]), target)

    @abstractmethod
    def distances(self, features: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
        """How far features of pictures are from those of their styles.

        Args:
            features: Of the pictures, a map for each layer.
            targets: Of the styles, of one image or of as many.

        Shape:
            - features, targets: (batch, channels, height, width)
            - output: (batch)
        """

    def _features(self, image: Tensor) -> list[Tensor]:
        found = self.encoder(image.to(self.encoder.image_dtype), list(self.layers))
        return [found[layer] for layer in self.layers]
