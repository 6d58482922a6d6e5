from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from pystyle._arguments import whole_number
from pystyle.functional._precision import without_autocast


class Convolution(nn.Conv2d):
    """A convolution that repeats the pixels at the border, so that pictures get no dark or grey frames.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        kernel_size: The edge of the kernel in pixels, which is odd.
        stride: Pixels from one position to the next.
        bias: Whether a constant is added to each channel.

    Raises:
        ValueError: If a number is not positive, or the kernel is even.

    Shape:
        - features: (batch, in_channels, height, width)
        - output: (batch, out_channels, height / stride, width / stride), rounded up

    Example:
        >>> import torch
        >>> Convolution(3, 8, stride=2)(torch.rand(1, 3, 9, 6)).shape
        torch.Size([1, 8, 5, 3])
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, *, stride: int = 1, bias: bool = True
    ) -> None:
        if whole_number(kernel_size, "`kernel_size`", least=1) % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd, so that it has a centre, got {kernel_size}.")
        super().__init__(
            whole_number(in_channels, "`in_channels`", least=1),
            whole_number(out_channels, "`out_channels`", least=1),
            kernel_size,
            whole_number(stride, "`stride`", least=1),
            bias=bias,
        )

    def forward(self, features: Tensor) -> Tensor:
        """The features of the next layer."""
        return conv2d(bordered(features, self.kernel_size[0] // 2), self.weight, self.bias, self.stride)


def bordered(features: Tensor, border: int) -> Tensor:
    """The features with their first and last rows and columns repeated."""
    if not border:
        return features
    # Autocast would convert features of half precision to float32, and back for the product.
    with without_autocast(features):
        return pad(features, [border] * 4, mode="replicate")
