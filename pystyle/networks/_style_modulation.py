from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu_

_HIDDEN = 32
NEGATIVE_SLOPE = 0.2
"""Of the activations. Features are large and their channels many: with a slope of 0 most channels of a
decoder were soon negative everywhere, and stayed so."""


class StyleModulation(nn.Module):
    """Scales and shifts for the layers of a network, from numbers that describe a style.

    At first the scales are 1 and the shifts 0.

    Args:
        in_features: How many numbers describe a style.
        channels: The channels of each layer.

    Shape:
        - style: (batch, in_features)
        - output: for each layer a scale and a shift, (batch, channels, 1, 1)

    Example:
        >>> import torch
        >>> (scale, shift), _ = StyleModulation(6, [4, 8])(torch.rand(2, 6))
        >>> scale.shape, bool((scale == 1).all()), bool((shift == 0).all())
        (torch.Size([2, 4, 1, 1]), True, True)

    References:
        Ghiasi et al., *Exploring the Structure of a Real-time, Arbitrary Neural Artistic Stylization
        Network*, BMVC 2017, section 3: that is how their network learns of a style. Features are normalised
        before it there, and are not here.
    """

    def __init__(self, in_features: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.hidden = nn.Linear(in_features, _HIDDEN)
        self.layers = nn.Linear(_HIDDEN, 2 * sum(self.channels))
        nn.init.zeros_(self.layers.weight)
        nn.init.zeros_(self.layers.bias)

    def forward(self, style: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The scale and the shift for each layer."""
        # The moments of features have more than half precision, whatever the weights have.
        hidden = leaky_relu_(self.hidden(style.to(self.hidden.weight)), NEGATIVE_SLOPE)
        scales, shifts = self.layers(hidden)[:, :, None, None].chunk(2, 1)
        parts = scales.split(self.channels, 1), shifts.split(self.channels, 1)
        return [(1 + scale, shift) for scale, shift in zip(*parts, strict=True)]


def modulated(features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """The activation of features that are scaled and shifted."""
    return leaky_relu_(torch.addcmul(shift.to(features), features, scale.to(features)), NEGATIVE_SLOPE)
