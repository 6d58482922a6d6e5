import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pystyle.networks import (
    Convolution,
    FrozenEncoder,
    KeysAndValues,
    PositionAttention,
    Stylizer,
    instance_normalization,
    mirror,
)
from pystyle.papers._normalized_vgg import normalized_vgg19
from pystyle.papers._several_styles import each_style, of_one_style, of_several_styles

LAYERS = ("relu4_1", "relu5_1")


class StyleAttention(nn.Module):
    """The block that the paper calls SANet: features of the content, and what they attend to in the style.

    Args:
        channels: The channels of both.

    Raises:
        ValueError: If the number is not positive.

    Shape:
        - content, output: (batch, channels, height, width)
        - style: (batch, channels, other height, other width)

    Example:
        >>> block = StyleAttention(8)
        >>> block(torch.rand(1, 8, 3, 4), block.look_at(torch.rand(1, 8, 5, 5))).shape
        torch.Size([1, 8, 3, 4])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = PositionAttention(channels)
        self.output = Convolution(channels, channels, 1)

    def look_at(self, style: Tensor) -> KeysAndValues:
        """What the content can attend to."""
        return self.attention.look_at(instance_normalization(style), style)

    def forward(self, content: Tensor, seen: KeysAndValues) -> Tensor:
        """The content, to which what it attends to was added."""
        features: Tensor = content + self.output(self.attention(instance_normalization(content), seen))
        return features


class StyleAttentionalNetwork(Stylizer):
    """The network of the paper: an encoder, attention at two layers, and a decoder.

    The code of a style are the keys and the values of its positions, so it has the size of the style. Of
    several styles each is attended to by itself, whatever its size, and their features are mixed. A strength
    below 1 mixes the features with those of the content that attends to itself.

    Args:
        layers: The two layers. The decoder begins at the first of them.
        weights: Those of VGG-19, see :func:`~pystyle.encoders.vgg19`. They are in no file of the network.

    Raises:
        ValueError: If VGG-19 has no such layers, or they differ in their channels.

    Shape:
        - content, output: (batch, 3, height, width)

    Example:
        >>> network = StyleAttentionalNetwork(layers=("relu2_1", "relu2_2"), weights=None)
        >>> paint = network.bind([(torch.rand(1, 3, 32, 40), 0.7), (torch.rand(1, 3, 48, 24), 0.3)])
        >>> paint(torch.rand(1, 3, 50, 37), strength=0.5).shape
        torch.Size([1, 3, 50, 37])
    """

    stride = 16
    can_wrap = True
    # relu5_1 of 16 pixels is a single one, which has no mirror.
    smallest = 17

    def __init__(
        self,
        *,
        layers: Sequence[str] = LAYERS,
        weights: str | os.PathLike[str] | None = "caffe_normalized",
    ) -> None:
        super().__init__()
        self.layers, self.weights = tuple(layers), weights
        encoder = normalized_vgg19(weights)
        self.encoder = FrozenEncoder(encoder, self.layers)
        if len(self.layers) != 2 or len(set(self.encoder.channels)) != 1:
            raise ValueError(f"`layers` must be two layers with as many channels each, got {self.layers}.")
        channels = self.encoder.channels[0]
        self.shallow, self.deep = StyleAttention(channels), StyleAttention(channels)
        self.merging = Convolution(channels, channels, border="reflect")
        self.decoder = mirror(encoder, self.layers[0], border="reflect")

    def represent_style(self, style: Tensor) -> tuple[Tensor, ...]:
        """How much of the style, which is all, and its keys and values at both layers."""
        return of_one_style(self._look_at(self.encoder(style)))

    def blend(self, codes: Sequence[tuple[Tensor, ...]], shares: Sequence[float]) -> tuple[Tensor, ...]:
        """The codes beside each other: their features are mixed."""
        return of_several_styles(codes, shares)

    def forward(self, content: Tensor, code: tuple[Tensor, ...]) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        return self.mixed(content, code, 1.0)

    def mixed(self, content: Tensor, code: tuple[Tensor, ...], strength: float) -> Tensor:
        """The picture of features between those of the content in its own style and in that of the code."""
        features = self.encoder(content)
        found = [share * self._attended(features, seen) for share, seen in each_style(code, 4)]
        merged = torch.stack(found).sum(0).to(features[0].dtype)
        if strength < 1:
            merged = torch.lerp(self._attended(features, self._look_at(features)), merged, strength)
        picture: Tensor = self.decoder(merged)
        return picture

    def _look_at(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return (*self.shallow.look_at(features[0]), *self.deep.look_at(features[1]))

    def _attended(self, features: Sequence[Tensor], seen: Sequence[Tensor]) -> Tensor:
        """The features of both layers, one on top of the other."""
        shallow = self.shallow(features[0], KeysAndValues(*seen[:2]))
        deep = self.deep(features[1], KeysAndValues(*seen[2:]))
        merged: Tensor = self.merging(shallow + interpolate(deep, shallow.shape[2:], mode="nearest"))
        return merged


def network(
    *, layers: Sequence[str] = LAYERS, weights: str | os.PathLike[str] | None = "caffe_normalized"
) -> StyleAttentionalNetwork:
    """The network, of which all but the encoder has random weights; see :class:`StyleAttentionalNetwork`.

    Args:
        layers: The two layers at which the content attends to the style.
        weights: Those of VGG-19.

    Raises:
        ValueError: If VGG-19 has no such layers, or they differ in their channels.

    Example:
        >>> small = network(layers=("relu2_1", "relu2_2"), weights=None)
        >>> sum(parameter.numel() for parameter in small.parameters())
        392131
    """
    return StyleAttentionalNetwork(layers=layers, weights=weights)
