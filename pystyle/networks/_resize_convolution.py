import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from pystyle.networks._convolution import convolution


class ResizeConvolution(nn.Module):
    """Doubles the size by repeating pixels, then convolves with a kernel of 3 x 3.

    A transposed convolution paints checkerboards where its kernels overlap unevenly; this has no such
    overlap.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.

    Shape:
        - features: (batch, in_channels, height, width)
        - output: (batch, out_channels, 2 height, 2 width)

    Example:
        >>> import torch
        >>> ResizeConvolution(8, 4)(torch.rand(1, 8, 5, 3)).shape
        torch.Size([1, 4, 10, 6])

    Note:
        The enlarged features are never made. Of the three rows of a kernel two fall on the same repeated row,
        so that each of the four pixels that come out of one is a convolution of 2 x 2 with sums of the
        kernel: 16 products in place of 36.

    References:
        Odena, Dumoulin and Olah, *Deconvolution and Checkerboard Artifacts*, Distill, 2016.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convolution = convolution(in_channels, out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """The features in twice the size."""
        height, width = features.shape[2:]
        kernel, bias = self.convolution.weight, self.convolution.bias
        sums = [_rows(_rows(kernel, row).mT, column).mT for row in (0, 1) for column in (0, 1)]
        out_channels = kernel.shape[0]
        bordered = pad(features, (1, 1, 1, 1), mode="replicate")
        found = conv2d(bordered, torch.cat(sums), None if bias is None else bias.repeat(4))
        # These copies are cheap with channels last, which is how a channels-last network computes them.
        found = found.permute(0, 2, 3, 1)
        # What comes out of the pixel (i, j) at its row r and column c was computed at (i + r, j + c).
        phases = [
            found[:, row : row + height, column : column + width, start : start + out_channels]
            for start, (row, column) in zip(
                range(0, 4 * out_channels, out_channels), [(0, 0), (0, 1), (1, 0), (1, 1)], strict=True
            )
        ]
        pairs = [torch.stack(phases[:2], 3), torch.stack(phases[2:], 3)]
        enlarged = torch.stack(pairs, 2).reshape(-1, 2 * height, 2 * width, out_channels)
        return enlarged.permute(0, 3, 1, 2)


def _rows(kernel: Tensor, row: int) -> Tensor:
    """The two rows that the three of a kernel become, for the first or the second of two repeated rows."""
    first, second, third = kernel.unbind(2)
    return torch.stack([first, second + third] if row == 0 else [first + second, third], 2)
