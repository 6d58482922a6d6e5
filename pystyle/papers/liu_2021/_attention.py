from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pystyle.functional import channel_means, position_attention
from pystyle.networks import KeysAndValues, PositionAttention, instance_normalization


def attended_moments(queries: Tensor, seen: KeysAndValues, *, eps: float = 1e-5) -> tuple[Tensor, Tensor]:
    """The means and the deviations of the values that each position attends to.

    Args:
        queries: What is looked for.
        seen: What is looked at.
        eps: Added to variances, so that the gradient of the root is finite.

    Returns:
        Both for each query, in float32 at least.

    Shape:
        - queries: (batch or 1, key channels, height, width)
        - output: (batch, channels, height, width) each

    Example:
        >>> seen = KeysAndValues(torch.tensor([[[-9.0, 9.0, 9.0]]]), torch.tensor([[[0.0, 10.0, 20.0]]]))
        >>> mean, deviation = attended_moments(torch.tensor([[[-9.0, 9.0]]]), seen, eps=0.0)
        >>> mean, deviation
        (tensor([[[ 0., 15.]]]), tensor([[[0., 5.]]]))
    """
    # Squares of values about their mean: of large ones the differences would be rounding errors.
    center = channel_means(seen.values).unsqueeze(2)
    values = seen.values.flatten(2) - center
    both = torch.cat([values, values.square()], 1)
    mean, square = position_attention(queries, seen.keys.flatten(2), both).chunk(2, 1)
    deviation = ((square - mean.square()).clamp_min(0) + eps).sqrt()
    return mean + center.reshape(*center.shape[:2], *[1] * (queries.ndim - 2)), deviation


def joined_features(features: Sequence[Tensor]) -> Tensor:
    """The features of all layers so far, normalised, in the size of the last: what positions are told by.

    Args:
        features: Those of each layer.

    Shape:
        - features: (batch, channels, height, width) each, of any sizes
        - output: (batch, channels of all, height and width of the last)

    Example:
        >>> joined_features([torch.rand(1, 4, 8, 8), torch.rand(1, 6, 4, 4)]).shape
        torch.Size([1, 10, 4, 4])
    """
    size = features[-1].shape[2:]
    return torch.cat([instance_normalization(interpolate(one, size, mode="nearest")) for one in features], 1)


class AttentionNormalization(nn.Module):
    """The block of the paper: features of the content with the moments of what they attend to in the style.

    Args:
        channels: The channels of the features.
        key_channels: Those of what positions are told by.

    Raises:
        ValueError: If a number is not positive.

    Shape:
        - content, output: (batch, channels, height, width)
        - key_features: (batch, key_channels, height, width)

    Example:
        >>> block = AttentionNormalization(4, key_channels=6)
        >>> seen = block.look_at(torch.rand(1, 6, 5, 5), torch.rand(1, 4, 5, 5))
        >>> block(torch.rand(1, 4, 3, 7), torch.rand(1, 6, 3, 7), seen).shape
        torch.Size([1, 4, 3, 7])
    """

    def __init__(self, channels: int, *, key_channels: int) -> None:
        super().__init__()
        self.attention = PositionAttention(channels, key_channels=key_channels)

    def look_at(self, key_features: Tensor, style: Tensor) -> KeysAndValues:
        """What the content can attend to."""
        return self.attention.look_at(key_features, style)

    def forward(self, content: Tensor, key_features: Tensor, seen: KeysAndValues) -> Tensor:
        """The content, normalised, with the deviation and the mean of what each position attends to."""
        mean, deviation = attended_moments(self.attention.queries(key_features), seen)
        return (deviation * instance_normalization(content) + mean).to(content.dtype)
