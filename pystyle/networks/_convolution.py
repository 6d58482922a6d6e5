from torch import nn

from pystyle._arguments import whole_number


def convolution(
    in_channels: int, out_channels: int, kernel_size: int = 3, *, stride: int = 1, bias: bool = True
) -> nn.Conv2d:
    """A convolution that repeats the pixels at the border, so that pictures get no dark or grey frames.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        kernel_size: The edge of the kernel in pixels, which is odd.
        stride: Pixels from one position to the next.
        bias: Whether a constant is added to each channel.

    Returns:
        The layer. With a stride of 1 the size stays, with 2 it is halved and rounded up.

    Raises:
        ValueError: If a number is not positive, or the kernel is even.

    Example:
        >>> import torch
        >>> convolution(3, 8, stride=2)(torch.rand(1, 3, 9, 6)).shape
        torch.Size([1, 8, 5, 3])
    """
    if whole_number(kernel_size, "`kernel_size`", least=1) % 2 == 0:
        raise ValueError(f"`kernel_size` must be odd, so that it has a centre, got {kernel_size}.")
    padding = kernel_size // 2
    return nn.Conv2d(
        whole_number(in_channels, "`in_channels`", least=1),
        whole_number(out_channels, "`out_channels`", least=1),
        kernel_size,
        whole_number(stride, "`stride`", least=1),
        padding,
        padding_mode="replicate" if padding else "zeros",
        bias=bias,
    )
