import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from pystyle.networks._convolution import convolution
from pystyle.networks._residual_block import ResidualBlock
from pystyle.networks._resize_convolution import ResizeConvolution

_COLORS = 3


class FeatureDecoder(nn.Module):
    """Paints a picture from features of a quarter and of half its size, its colours, and noise.

    Features know little of colours: the decoder sees the colours at each size. The noise, at each size too,
    becomes strokes and a grain where all else is flat. Without it each square of 4 x 4 pixels would get the
    same pattern, a canvas.

    Args:
        coarse_channels: Channels of the features of a quarter of the size.
        fine_channels: Channels of those of half the size.
        width: Its own channels at the full size; twice as many at a half, four times at a quarter.

    Shape:
        - coarse: (batch, coarse_channels, height / 4, width / 4)
        - fine: (batch, fine_channels, height / 2, width / 2)
        - colors, noise: (batch, 3, height, width), the colours in [-1, 1]
        - output: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> features = torch.rand(1, 8, 4, 4), torch.rand(1, 4, 8, 8)
        >>> colors, noise = torch.rand(1, 3, 16, 16), torch.randn(1, 3, 16, 16)
        >>> FeatureDecoder(8, 4, width=2)(*features, colors, noise).shape
        torch.Size([1, 3, 16, 16])
    """

    halo = 8
    """How many rows of the coarse features around its own a picture depends on, at most."""

    def __init__(self, coarse_channels: int, fine_channels: int, *, width: int) -> None:
        super().__init__()
        full, half, quarter = width, 2 * width, 4 * width
        self.at_quarter = nn.Sequential(
            convolution(coarse_channels + 2 * _COLORS, quarter), nn.ReLU(inplace=True),
            ResidualBlock(quarter),
            ResizeConvolution(quarter, half), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.at_half = nn.Sequential(
            convolution(half + fine_channels + 2 * _COLORS, half), nn.ReLU(inplace=True),
            ResidualBlock(half),
            ResizeConvolution(half, full), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.at_full = nn.Sequential(convolution(full + 2 * _COLORS, full), nn.ReLU(inplace=True))
        last = convolution(full + _COLORS, 3)
        with torch.no_grad():
            # So that a training begins with pictures that have the shapes and the colours of their contents.
            last.weight[:, full:, 1, 1] += 2 * torch.eye(3)
        self.to_colors = nn.Sequential(last, nn.Sigmoid())

    def forward(self, coarse: Tensor, fine: Tensor, colors: Tensor, noise: Tensor) -> Tensor:
        """The picture."""
        painted = self.at_quarter(torch.cat([coarse, avg_pool2d(colors, 4), noise[:, :, ::4, ::4]], 1))
        painted = self.at_half(torch.cat([painted, fine, avg_pool2d(colors, 2), noise[:, :, ::2, ::2]], 1))
        painted = self.at_full(torch.cat([painted, colors, noise], 1))
        picture: Tensor = self.to_colors(torch.cat([painted, colors], 1))
        return picture
