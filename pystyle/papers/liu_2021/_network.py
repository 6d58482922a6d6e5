import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from pystyle._arguments import whole_number
from pystyle.networks import Convolution, Decoder, DecoderLayer, FrozenEncoder, KeysAndValues, Stylizer
from pystyle.papers._normalized_vgg import normalized_vgg19
from pystyle.papers._several_styles import each_style, of_one_style, of_several_styles
from pystyle.papers.liu_2021._attention import AttentionNormalization, joined_features

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
MAX_KEYS = 64 * 64


class AdaAttNNetwork(Stylizer):
    """The network of the paper: an encoder, adaptive attention normalisation at three layers, and a decoder.

    The code of a style are the keys and the values of its positions, so it has the size of the style. Of
    several styles each is attended to by itself, whatever its size, and their features are mixed.

    Args:
        max_keys: The most positions of the style that are looked at at relu3_1, chosen at random: in a
            training by torch's global generator, otherwise always the same.
        weights: Those of VGG-19, see :func:`~pystyle.encoders.vgg19`. They are in no file of the network.

    Raises:
        ValueError: If the number is not positive.

    Shape:
        - content, output: (batch, 3, height, width)

    Example:
        >>> paint = AdaAttNNetwork(weights=None).bind(torch.rand(1, 3, 24, 32))
        >>> paint(torch.rand(1, 3, 20, 31)).shape
        torch.Size([1, 3, 20, 31])
    """

    stride = 16
    can_wrap = True
    # relu5_1 of 16 pixels is a single one, which has no mirror.
    smallest = 17

    def __init__(
        self, *, max_keys: int = MAX_KEYS, weights: str | os.PathLike[str] | None = "caffe_normalized"
    ) -> None:
        super().__init__()
        self.max_keys, self.weights = whole_number(max_keys, "`max_keys`", least=1), weights
        self.encoder = FrozenEncoder(normalized_vgg19(weights), LAYERS)
        channels = self.encoder.channels
        self.third, self.fourth, self.fifth = (
            AttentionNormalization(channels[index], key_channels=sum(channels[: index + 1]))
            for index in (2, 3, 4)
        )
        self.merging = Convolution(512, 512, border="reflect")
        self.first = Convolution(512, 256, border="reflect")
        layers = [
            DecoderLayer(512, 256),
            DecoderLayer(256, 256),
            DecoderLayer(256, 256),
            DecoderLayer(256, 128),
            DecoderLayer(128, 128, doubles=True),
            DecoderLayer(128, 64),
            DecoderLayer(64, 64, doubles=True),
            DecoderLayer(64, 3),
        ]
        self.decoder = Decoder(layers, border="reflect")
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, 0.0, 0.02)

    def represent_style(self, style: Tensor) -> tuple[Tensor, ...]:
        """How much of the style, which is all, and its keys and values at the three layers."""
        features = self.encoder(style)
        third, fourth, fifth = (
            block.look_at(joined_features(features[: index + 1]), features[index])
            for index, block in ((2, self.third), (3, self.fourth), (4, self.fifth))
        )
        return of_one_style([*self._chosen(third), *fourth, *fifth])

    def blend(self, codes: Sequence[tuple[Tensor, ...]], shares: Sequence[float]) -> tuple[Tensor, ...]:
        """The codes beside each other: their features are mixed."""
        return of_several_styles(codes, shares)

    def forward(self, content: Tensor, code: tuple[Tensor, ...]) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        features = self.encoder(content)
        keys = [joined_features(features[:end]) for end in (3, 4, 5)]
        found = []
        for share, seen in each_style(code, 6):
            pairs = [KeysAndValues(*seen[start : start + 2]) for start in (0, 2, 4)]
            third = self.third(features[2], keys[0], pairs[0])
            fourth = self.fourth(features[3], keys[1], pairs[1])
            fifth = self.fifth(features[4], keys[2], pairs[2])
            deep = self.merging(fourth + interpolate(fifth, fourth.shape[2:], mode="nearest"))
            found.append((share * deep, share * third))
        deep, third = (torch.stack(parts).sum(0).to(features[0].dtype) for parts in zip(*found, strict=True))
        seen_small = relu(self.first(deep))
        enlarged = interpolate(seen_small, third.shape[2:], mode="nearest")
        picture: Tensor = self.decoder(torch.cat([enlarged, third], 1))
        return picture

    def _chosen(self, seen: KeysAndValues) -> KeysAndValues:
        """Some of the positions, at random, if there are too many."""
        count = seen.keys.shape[2:].numel()
        if count <= self.max_keys:
            return seen
        # A picture is the same each time; a training makes the state of the global generator its own.
        generator = None if self.training else torch.Generator().manual_seed(0)
        places = torch.randperm(count, generator=generator, device="cpu")[: self.max_keys]
        places = places.to(seen.keys.device)
        return KeysAndValues(*(tensor.flatten(2)[..., places] for tensor in seen))


def network(
    *, max_keys: int = MAX_KEYS, weights: str | os.PathLike[str] | None = "caffe_normalized"
) -> AdaAttNNetwork:
    """The network, of which all but the encoder has random weights; see :class:`AdaAttNNetwork`.

    Args:
        max_keys: The most positions of the style that are looked at at relu3_1.
        weights: Those of VGG-19.

    Raises:
        ValueError: If the number is not positive.

    Example:
        >>> sum(parameter.numel() for parameter in network(weights=None).parameters())
        13629891
    """
    return AdaAttNNetwork(max_keys=max_keys, weights=weights)
