from torch import Tensor, nn
from torch.nn.functional import interpolate

from pystyle.networks._convolution import convolution


class ResizeConvolution(nn.Module):
    """Doubles the size by repeating pixels, then convolves.

    A transposed convolution paints checkerboards where its kernels overlap unevenly; this has no such
    overlap.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        kernel_size: The edge of the kernel in pixels, which is odd.

    Shape:
        - features: (batch, in_channels, height, width)
        - output: (batch, out_channels, 2 height, 2 width)

    Example:
        >>> import torch
        >>> ResizeConvolution(8, 4)(torch.rand(1, 8, 5, 3)).shape
        torch.Size([1, 4, 10, 6])

    References:
        Odena, Dumoulin and Olah, *Deconvolution and Checkerboard Artifacts*, Distill, 2016.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.convolution = convolution(in_channels, out_channels, kernel_size)

    def forward(self, features: Tensor) -> Tensor:
        """The features in twice the size."""
        output: Tensor = self.convolution(interpolate(features, scale_factor=2.0, mode="nearest"))
        return output
