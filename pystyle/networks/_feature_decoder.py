from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from pystyle.networks._bands import in_bands
from pystyle.networks._convolution import Convolution
from pystyle.networks._residual_block import ResidualBlock
from pystyle.networks._resize_convolution import ResizeConvolution
from pystyle.networks._style_modulation import NEGATIVE_SLOPE, modulated

_COLORS = 3
_FINE_HALO = 4
"""How many rows of what is painted at a quarter of the size the rest looks at around its own, at most."""
_NUMBERS = 2**20
"""See :func:`in_bands`: what is made of a number of the quarter is several numbers."""


class FeatureDecoder(nn.Module):
    """Paints a picture from features of a quarter and of half its size, its colours, and noise.

    Features know little of colours: the decoder sees the colours at each size. The noise, at each size too,
    becomes strokes and a grain where all else is flat. Without it each square of 4 x 4 pixels would get the
    same pattern, a canvas. Its layers are scaled and shifted as the style wants it.

    Args:
        coarse_channels: Channels of the features of a quarter of the size.
        fine_channels: Channels of those of half the size.
        width: Its own channels at the full size; twice as many at a half, four times at a quarter.

    Shape:
        - coarse: (batch, coarse_channels, height / 4, width / 4)
        - fine: (batch, fine_channels, height / 2, width / 2)
        - colors, noise: (batch, 3, height, width), the colours in [-1, 1]
        - modulations: for each of :attr:`modulated_channels` a scale and a shift, (batch, channels, 1, 1)
        - output: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> features = torch.rand(1, 8, 4, 4), torch.rand(1, 4, 8, 8)
        >>> colors, noise = torch.rand(1, 3, 16, 16), torch.randn(1, 3, 16, 16)
        >>> decoder = FeatureDecoder(8, 4, width=2)
        >>> as_it_is = [(torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1))] * len(decoder.modulated_channels)
        >>> decoder(*features, colors, noise, as_it_is).shape
        torch.Size([1, 3, 16, 16])
    """

    halo = 12
    """How many rows of the coarse features around its own a picture depends on, at most."""

    def __init__(self, coarse_channels: int, fine_channels: int, *, width: int) -> None:
        super().__init__()
        full, half, quarter = width, 2 * width, 4 * width
        self.modulated_channels = (quarter, half, half, full, full)
        self.quarter_in = Convolution(coarse_channels + 2 * _COLORS, quarter)
        self.quarter_blocks = nn.Sequential(
            *(ResidualBlock(quarter, negative_slope=NEGATIVE_SLOPE) for _ in range(3))
        )
        self.quarter_out = ResizeConvolution(quarter, half, mode="bilinear")
        self.half_in = Convolution(half + fine_channels + 2 * _COLORS, half)
        self.half_blocks = ResidualBlock(half, negative_slope=NEGATIVE_SLOPE)
        self.half_out = ResizeConvolution(half, full, mode="bilinear")
        self.full_in = Convolution(full + 2 * _COLORS, full)
        self.to_colors = Convolution(full + _COLORS, 3)
        with torch.no_grad():
            # So that a training begins with pictures that have the shapes and the colours of their contents.
            self.to_colors.weight[:, full:, 1, 1] += 2 * torch.eye(3)

    def forward(
        self,
        coarse: Tensor,
        fine: Tensor,
        colors: Tensor,
        noise: Tensor,
        modulations: Sequence[tuple[Tensor, Tensor]],
    ) -> Tensor:
        """The picture."""
        first, second, third, fourth, last = modulations

        def finely(painted: Tensor, fine: Tensor, colors: Tensor, noise: Tensor) -> Tensor:
            painted = modulated(self.quarter_out(painted), *second)
            seen = _beside(painted, fine, avg_pool2d(colors, 2), noise[:, :, ::2, ::2])
            painted = self.half_blocks(modulated(self.half_in(seen), *third))
            painted = modulated(self.half_out(painted), *fourth)
            painted = modulated(self.full_in(_beside(painted, colors, noise)), *last)
            picture: Tensor = self.to_colors(_beside(painted, colors)).sigmoid()
            return picture

        seen = _beside(coarse, avg_pool2d(colors, 4), noise[:, :, ::4, ::4])
        painted = self.quarter_blocks(modulated(self.quarter_in(seen), *first))
        return in_bands(finely, painted, fine, colors, noise, halo=_FINE_HALO, up=4, numbers=_NUMBERS)


def _beside(features: Tensor, *others: Tensor) -> Tensor:
    """The channels of all, in the precision of the first, and with the channels last, which is fast."""
    last = [maps.to(features).permute(0, 2, 3, 1) for maps in (features, *others)]
    return torch.cat(last, 3).permute(0, 3, 1, 2)
