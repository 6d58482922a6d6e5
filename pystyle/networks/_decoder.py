from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.functional import relu

from pystyle.encoders import SequentialEncoder
from pystyle.encoders._architectures import Padding
from pystyle.networks._convolution import Convolution
from pystyle.networks._resize_convolution import ResizeConvolution


class DecoderLayer(NamedTuple):
    """A convolution of a :class:`Decoder`.

    Attributes:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        doubles: Whether it doubles the size.

    Example:
        >>> DecoderLayer(8, 4)
        DecoderLayer(in_channels=8, out_channels=4, doubles=False)
    """

    in_channels: int
    out_channels: int
    doubles: bool = False


class Decoder(nn.Module):
    """Convolutions from features to a picture, each with a ReLU but the last.

    The size is doubled by repeating pixels, before a convolution, so that no checkerboard comes about. A
    subclass may do something else between the layers: it overrides :meth:`forward`.

    Args:
        layers: The convolutions, of which each takes what the one before gives.
        border: What is beyond the border; see :class:`Convolution`.

    Raises:
        ValueError: If there are no layers, or two do not fit together.

    Shape:
        - features: (batch, in_channels of the first layer, height, width)
        - output: (batch, out_channels of the last layer, height, width), doubled as often as the layers say

    Example:
        >>> import torch
        >>> decoder = Decoder([DecoderLayer(8, 4), DecoderLayer(4, 4, doubles=True), DecoderLayer(4, 3)])
        >>> decoder(torch.rand(1, 8, 5, 7)).shape
        torch.Size([1, 3, 10, 14])
    """

    def __init__(self, layers: Sequence[DecoderLayer], *, border: Padding = "replicate") -> None:
        super().__init__()
        chain = list(layers)
        fits = all(one.out_channels == other.in_channels for one, other in pairwise(chain))
        if not chain or not fits:
            raise ValueError(
                f"`layers` must be layers of which each takes what the last one gives, got {chain}."
            )
        self.convolutions = nn.ModuleList(
            ResizeConvolution(one.in_channels, one.out_channels)
            if one.doubles
            else Convolution(one.in_channels, one.out_channels, border=border)
            for one in chain
        )

    def forward(self, features: Tensor) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        *_, last = self.convolutions
        picture: Tensor = last(self.hidden(features))
        return picture

    def hidden(self, features: Tensor) -> Tensor:
        """What the last convolution sees."""
        for convolution in list(self.convolutions)[:-1]:
            features = relu(convolution(features))
        return features


def mirror(encoder: SequentialEncoder, layer: str, *, border: Padding = "replicate") -> Decoder:
    """The decoder whose layers are those of an encoder in reverse: from the features of a layer to RGB.

    Each convolution becomes one of 3 x 3 with its channels exchanged, and what halves the size doubles it.

    Args:
        encoder: The encoder.
        layer: The layer from whose features the decoder starts.
        border: What is beyond the border; see :class:`Convolution`.

    Returns:
        A decoder with random weights.

    Raises:
        ValueError: If the encoder has no such layer, no convolution before it, or a stage that divides the
            size by more than 2.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> decoder = mirror(vgg19(weights=None), "relu4_1")
        >>> sum(parameter.numel() for parameter in decoder.parameters())
        3505219

    References:
        Huang and Belongie, *Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization*, ICCV
        2017, section 6, whose decoder is the mirror of VGG-19 up to relu4_1.
    """
    encoder.check_layers([layer])
    found: list[DecoderLayer] = []
    halvings = 0
    names = encoder.layers[: encoder.layers.index(layer) + 1]
    strides = [1, *map(encoder.stride, names)]
    for index, name in reversed(list(enumerate(names))):
        stage, stride = encoder.stages[name], strides[index + 1] // strides[index]
        halvings += stride > 1
        if stride > 2 or halvings > 1:
            raise ValueError(
                f"`layer` must lie behind stages that halve the size at most once for each convolution, got "
                f"{layer!r}, before which {name!r} does more."
            )
        if isinstance(stage, nn.Conv2d):
            found.append(DecoderLayer(stage.out_channels, stage.in_channels, doubles=halvings > 0))
            halvings = 0
    if not found:
        raise ValueError(f"`layer` must lie behind a convolution, got {layer!r}.")
    return Decoder(found, border=border)
