"""The micro encoder, the modulator and the micro decoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from pystyle.functional import channel_mean_std
from pystyle.networks import Convolution, instance_normalization

_EPS = 1e-5


class ModulatedBlock(nn.Module):
    r"""A residual block whose two convolutions get a weight and a bias of a style for each channel.

    A modulated convolution is :math:`w \cdot \text{conv}(x) + b \cdot x`; without a style the block is an
    ordinary one.

    Args:
        channels: Channels that come in and go out.

    Shape:
        - features, output: (batch, channels, height, width)
        - filters: (batch or 1, 2, channels), weights first

    Example:
        >>> block, features = ModulatedBlock(8), torch.rand(1, 8, 5, 3)
        >>> plain = torch.stack([torch.ones(1, 8), torch.zeros(1, 8)], 1)
        >>> bool((block(features, plain) == block(features)).all())
        True
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Convolution(channels, channels, border="reflect")
        self.second = Convolution(channels, channels, border="reflect")

    def forward(self, features: Tensor, filters: Tensor | None = None) -> Tensor:
        """The features and what the block adds to them."""
        if filters is None:
            plain: Tensor = features + self.second(relu(self.first(features)))
            return plain
        weight, bias = filters.to(features)[..., None, None].unbind(1)
        hidden = relu(weight * self.first(features) + bias * features)
        modulated: Tensor = features + weight * self.second(hidden) + bias * hidden
        return modulated


class MicroEncoder(nn.Module):
    """A convolution, two depthwise-separable ones that halve the size, and two residual blocks.

    Args:
        width: Channels at the full size; twice and four times as many at a half and a quarter.

    Shape:
        - image: (batch, 3, height, width)
        - output: two of (batch, 4 width, height / 4, width / 4), rounded up: behind the first block and
          behind the second

    Example:
        >>> [tuple(features.shape) for features in MicroEncoder(16)(torch.rand(1, 3, 32, 48))]
        [(1, 64, 8, 12), (1, 64, 8, 12)]
        >>> sum(parameter.numel() for parameter in MicroEncoder(16).parameters())
        157792
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        wide, wider = 2 * width, 4 * width
        self.convolutions = nn.ModuleList(
            [
                Convolution(3, width, 9, border="reflect"),
                Convolution(width, wide, stride=2, groups=width, border="reflect"),
                Convolution(wide, wide, 1),
                Convolution(wide, wider, stride=2, groups=wide, border="reflect"),
                Convolution(wider, wider, 1),
            ]
        )
        self.blocks = nn.ModuleList([ModulatedBlock(wider), ModulatedBlock(wider)])

    def forward(self, image: Tensor) -> list[Tensor]:
        """The features at both depths."""
        features, found = image, []
        for convolution in self.convolutions:
            features = relu(convolution(features))
        for block in self.blocks:
            features = block(features)
            found.append(features)
        return found


class Modulator(nn.Module):
    """The weights and biases of filters, from the features of a style at both depths.

    Each is the mean over all positions of a convolution that sees its channel alone.

    Args:
        channels: Channels of the features.

    Shape:
        - features: two of (batch, channels, height, width)
        - output: (batch, 2, 2, channels): for each depth weights, then biases

    Example:
        >>> features = torch.rand(2, 1, 64, 5, 3)
        >>> Modulator(64)(list(features)).shape
        torch.Size([1, 2, 2, 64])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weights, self.biases = (
            nn.ModuleList(
                Convolution(channels, channels, groups=channels, border="reflect") for _ in range(2)
            )
            for _ in range(2)
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """The weights and the biases."""
        pairs = zip(features, self.weights, self.biases, strict=True)
        return torch.stack(
            [
                torch.stack([convolution(seen).mean((2, 3)) for convolution in (weight, bias)], 1)
                for seen, weight, bias in pairs
            ],
            1,
        )


class MicroDecoder(nn.Module):
    """Two modulated blocks, and what doubles the size twice: AdaIN before each block, the deeper one first.

    Args:
        width: Channels at the full size.

    Shape:
        - features: (batch, 4 width, height, width)
        - moments, filters: (batch or 1, 2, 2, 4 width)
        - output: (batch, 3, 4 height, 4 width)

    Example:
        >>> moments, filters = torch.rand(2, 1, 2, 2, 16)
        >>> MicroDecoder(4)(torch.rand(1, 16, 5, 3), moments, filters, 1.0).shape
        torch.Size([1, 3, 20, 12])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        wide, wider = 2 * width, 4 * width
        self.blocks = nn.ModuleList([ModulatedBlock(wider), ModulatedBlock(wider)])
        self.convolutions = nn.ModuleList(
            [
                Convolution(wider, wide, groups=wide, border="reflect"),
                Convolution(wide, wide, 1),
                Convolution(wide, width, groups=width, border="reflect"),
                Convolution(width, width, 1),
                Convolution(width, 3, 9, border="reflect"),
            ]
        )

    def forward(self, features: Tensor, moments: Tensor, filters: Tensor, strength: float) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        for block, depth in zip(self.blocks, (1, 0), strict=True):
            features = torch.lerp(features, adapted(features, moments[:, depth]), strength)
            features = block(features, filters[:, depth])
        *inner, last = self.convolutions
        for index, convolution in enumerate(inner):
            if index % 2 == 0:
                features = interpolate(features, scale_factor=2, mode="bilinear")
            features = relu(convolution(features))
        picture: Tensor = last(features)
        return picture


def moments_of(features: Tensor) -> Tensor:
    """The mean and the deviation of each channel, the unbiased one as in the authors' code.

    Shape:
        - features: (batch, channels, height, width)
        - output: (batch, 2, channels), in float32 at least
    """
    return channel_mean_std(features, eps=_EPS, correction=1)


def adapted(features: Tensor, moments: Tensor) -> Tensor:
    """AdaIN: features with these means and deviations.

    Shape:
        - features, output: (batch, channels, height, width)
        - moments: (batch or 1, 2, channels), means first
    """
    mean, std = moments.unbind(1)
    return instance_normalization(features, std, mean, eps=_EPS, correction=1)
