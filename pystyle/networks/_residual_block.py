from torch import Tensor, nn
from torch.nn.functional import leaky_relu_

from pystyle.networks._convolution import Convolution


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to what came in.

    Args:
        channels: Channels that come in and go out.
        negative_slope: The slope of the activation between them for negative numbers.

    Shape:
        - features, output: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> ResidualBlock(8)(torch.rand(1, 8, 5, 3)).shape
        torch.Size([1, 8, 5, 3])

    References:
        He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016, figure 2; without the last
        ReLU, as Gross and Wilber proposed (Torch blog, 2016).
    """

    def __init__(self, channels: int, *, negative_slope: float = 0.0) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.first = Convolution(channels, channels)
        self.second = Convolution(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """The features and what the block adds to them."""
        hidden = leaky_relu_(self.first(features), self.negative_slope)
        output: Tensor = features + self.second(hidden)
        return output
