from typing import get_args

from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from pystyle._arguments import whole_number
from pystyle.encoders._architectures import Padding
from pystyle.functional._precision import without_autocast


class Convolution(nn.Conv2d):
    """A convolution that repeats the pixels at the border, so that pictures get no dark or grey frames.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        kernel_size: The edge of the kernel in pixels, which is odd.
        stride: Pixels from one position to the next.
        bias: Whether a constant is added to each channel.
        groups: Into how many groups the channels are divided, each of which sees itself alone.
        border: What is beyond the border: the last pixels again, their mirror, or zeros, as published
            networks have it.

    Raises:
        ValueError: If a number is not positive, the kernel is even, or the border another.

    Shape:
        - features: (batch, in_channels, height, width)
        - output: (batch, out_channels, height / stride, width / stride), rounded up

    Example:
        >>> import torch
        >>> Convolution(3, 8, stride=2)(torch.rand(1, 3, 9, 6)).shape
        torch.Size([1, 8, 5, 3])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        stride: int = 1,
        bias: bool = True,
        groups: int = 1,
        border: Padding = "replicate",
    ) -> None:
        kernel_size = whole_number(kernel_size, "`kernel_size`", least=1)
        if kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd, so that it has a centre, got {kernel_size}.")
        if border not in get_args(Padding):
            raise ValueError(f"`border` must be one of {get_args(Padding)}, got {border!r}.")
        super().__init__(
            whole_number(in_channels, "`in_channels`", least=1),
            whole_number(out_channels, "`out_channels`", least=1),
            kernel_size,
            whole_number(stride, "`stride`", least=1),
            bias=bias,
            groups=whole_number(groups, "`groups`", least=1),
        )
        self.border: Padding = border

    def forward(self, features: Tensor) -> Tensor:
        """The features of the next layer."""
        seen = bordered(features, self.kernel_size[0] // 2, self.border)
        return conv2d(seen, self.weight, self.bias, self.stride, groups=self.groups)


def bordered(features: Tensor, border: int, mode: Padding = "replicate") -> Tensor:
    """The features with so many rows and columns more at each side."""
    if not border:
        return features
    # Autocast would convert features of half precision to float32, and back for the product.
    with without_autocast(features):
        return pad(features, [border] * 4, mode="constant" if mode == "zeros" else mode)
