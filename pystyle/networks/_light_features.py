from torch import Tensor, nn
from torch.nn.functional import leaky_relu, leaky_relu_

from pystyle.networks._bands import in_bands
from pystyle.networks._convolution import Convolution
from pystyle.networks._features import Features
from pystyle.networks._residual_block import ResidualBlock
from pystyle.networks._style_modulation import NEGATIVE_SLOPE


class LightFeatures(Features):
    """Features of a few convolutions that a network learns for itself: far faster than those of VGG-19.

    Args:
        width: Channels at the full size; the features have 2 and 4 times as many.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, 2 width, height / 2, width / 2) and (batch, 4 width, height / 4, width / 4), rounded
          up

    Example:
        >>> import torch
        >>> fine, coarse = LightFeatures(8)(torch.rand(1, 3, 33, 32))
        >>> fine.shape, coarse.shape
        (torch.Size([1, 16, 17, 16]), torch.Size([1, 32, 9, 8]))
    """

    halo = 16

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fine_channels, self.coarse_channels = 2 * width, 4 * width
        self.full = Convolution(3, width)
        self.half_in = Convolution(width, self.fine_channels, stride=2)
        self.half_out = Convolution(self.fine_channels, self.fine_channels)
        self.quarter_in = Convolution(self.fine_channels, self.coarse_channels, stride=2)
        self.quarter_block = ResidualBlock(self.coarse_channels, negative_slope=NEGATIVE_SLOPE)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                # So that features vary as much as the image does, however many layers there are.
                nn.init.kaiming_normal_(layer.weight, a=NEGATIVE_SLOPE)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The features."""
        fine = in_bands(self._fine, image, halo=6, down=2)
        return fine, self.quarter_block(_activated(self.quarter_in(leaky_relu(fine, NEGATIVE_SLOPE))))

    def _fine(self, image: Tensor) -> Tensor:
        full = _activated(self.full(2 * image - 1))
        found: Tensor = self.half_out(_activated(self.half_in(full)))
        return found


def _activated(features: Tensor) -> Tensor:
    return leaky_relu_(features, NEGATIVE_SLOPE)
