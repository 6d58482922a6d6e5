from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from pystyle.networks._convolution import Convolution, bordered

ResizeMode = Literal["nearest", "bilinear"]
_PHASES = (0, 0), (0, 1), (1, 0), (1, 1)
"""The rows and columns of the four pixels that one becomes."""
_TAPS = {
    "nearest": (
        ((1.0, 0.0, 0.0), (0.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    ),
    "bilinear": (
        ((0.75, 0.25, 0.0), (0.25, 0.75, 0.75), (0.0, 0.0, 0.25)),
        ((0.25, 0.0, 0.0), (0.75, 0.75, 0.25), (0.0, 0.25, 0.75)),
    ),
}
"""For the first and the second of the two pixels that one becomes: how much of the row before it, of its own
and of the one behind it there is in each of the three rows, enlarged, that a kernel looks at."""


class ResizeConvolution(Convolution):
    """Doubles the size, then convolves with a kernel of 3 x 3.

    A transposed convolution paints checkerboards where its kernels overlap unevenly; this has no such
    overlap.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        mode: How the size is doubled: ``"nearest"`` repeats pixels, which leaves edges between them,
            ``"bilinear"`` does not.

    Raises:
        ValueError: If a number is not positive, or the mode another.

    Shape:
        - features: (batch, in_channels, height, width)
        - output: (batch, out_channels, 2 height, 2 width)

    Example:
        >>> import torch
        >>> ResizeConvolution(8, 4)(torch.rand(1, 8, 5, 3)).shape
        torch.Size([1, 4, 10, 6])

    Note:
        The enlarged features are never made: each of the four pixels that come out of one is a convolution
        of the small features, with sums of the kernel. With repeated pixels these are kernels of 2 x 2: 16
        products in place of 36.

    References:
        Odena, Dumoulin and Olah, *Deconvolution and Checkerboard Artifacts*, Distill, 2016.
    """

    def __init__(self, in_channels: int, out_channels: int, *, mode: ResizeMode = "nearest") -> None:
        super().__init__(in_channels, out_channels)
        if mode not in _TAPS:
            raise ValueError(f"`mode` must be one of {tuple(_TAPS)}, got {mode!r}.")
        self.mode = mode

    def forward(self, features: Tensor) -> Tensor:
        """The features in twice the size."""
        bias = None if self.bias is None else self.bias.repeat(4)
        found = conv2d(bordered(features, 1), self._kernels(), bias)
        return _interleaved(found, features.shape[2], features.shape[3])

    def _kernels(self) -> Tensor:
        """Those of the four pixels one behind the other, without the rows and columns that are always 0."""
        taps = torch.tensor(_TAPS[self.mode]).to(self.weight)
        kernels = torch.einsum("rst,cuv,oitv->rcoisu", taps, taps, self.weight)
        if self.mode == "nearest":
            kernels = torch.stack(
                [kernels[row, column, :, :, row : row + 2, column : column + 2] for row, column in _PHASES]
            )
        return kernels.flatten(end_dim=-4)


def _interleaved(found: Tensor, height: int, width: int) -> Tensor:
    """Each of the four pixels in its place, out of channels for one behind the other.

    Args:
        found: The channels. With kernels of 2 x 2 there is a row and a column more, and what comes out of the
            pixel (i, j) at its row r and column c is at (i + r, j + c).
        height: Of the small features.
        width: Of the small features.
    """
    # These copies are cheap with channels last, which is how a channels-last network computes them.
    last, more = found.permute(0, 2, 3, 1), found.shape[2] - height
    first, second, third, fourth = (
        part[:, more * row : more * row + height, more * column : more * column + width]
        for part, (row, column) in zip(last.chunk(4, 3), _PHASES, strict=True)
    )
    rows = torch.stack([torch.stack([first, second], 3), torch.stack([third, fourth], 3)], 2)
    return rows.reshape(-1, 2 * height, 2 * width, first.shape[3]).permute(0, 3, 1, 2)
