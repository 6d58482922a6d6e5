from typing import NamedTuple

from torch import Tensor, nn

from pystyle.functional import position_attention
from pystyle.networks._convolution import Convolution


class KeysAndValues(NamedTuple):
    """What :class:`PositionAttention` looks at.

    Shape:
        - keys: (batch, key channels, height, width), or any number of position axes
        - values: (batch, channels, as the keys)

    Example:
        >>> import torch
        >>> KeysAndValues(torch.rand(1, 8, 5, 7), torch.rand(1, 4, 5, 7)).keys.shape
        torch.Size([1, 8, 5, 7])
    """

    keys: Tensor
    values: Tensor


class PositionAttention(nn.Module):
    """Attention of the positions of one image to those of another.

    Convolutions of 1 x 1 make queries of the features of one image, keys and values of those of the other.
    The other is looked at once, with :meth:`look_at`; the queries come later, and its size is its own.

    Args:
        channels: Channels of the values.
        key_channels: Channels of queries and keys; as many as of the values if not given.

    Raises:
        ValueError: If a number is not positive.

    Shape:
        - features: (batch, key_channels, height, width)
        - seen: of as many images, or of one
        - output: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> attention = PositionAttention(4, key_channels=8)
        >>> seen = attention.look_at(torch.rand(1, 8, 5, 7), torch.rand(1, 4, 5, 7))
        >>> attention(torch.rand(2, 8, 3, 3), seen).shape
        torch.Size([2, 4, 3, 3])

    References:
        Park and Lee, *Arbitrary Style Transfer with Style-Attentional Networks*, CVPR 2019, section 3.2; Liu
        et al., *AdaAttN: Revisit Attention Mechanism in Arbitrary Neural Style Transfer*, ICCV 2021, section
        3.2.
    """

    def __init__(self, channels: int, *, key_channels: int | None = None) -> None:
        super().__init__()
        inner = channels if key_channels is None else key_channels
        self.queries = Convolution(inner, inner, 1)
        self.keys = Convolution(inner, inner, 1)
        self.values = Convolution(channels, channels, 1)

    def look_at(self, key_features: Tensor, features: Tensor) -> KeysAndValues:
        """Keys and values of an image.

        Args:
            key_features: What the keys are made of.
            features: What the values are made of.

        Shape:
            - key_features: (batch, key_channels, height, width)
            - features: (batch, channels, height, width)
        """
        return KeysAndValues(self.keys(key_features), self.values(features))

    def forward(self, features: Tensor, seen: KeysAndValues) -> Tensor:
        """The mean of the values that each position attends to."""
        return position_attention(self.queries(features), seen.keys, seen.values).to(features.dtype)
