import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from pystyle.networks import Convolution, ResizeConvolution, instance_normalization

_BLOCKS = 5
_DEVIATION = 0.01


class StyledTransformer(nn.Module):
    """The painting network: convolutions, residual blocks and doublings, scaled and shifted behind the first.

    What makes the image smaller is normalised over the batch, for all styles alike. Each convolution behind
    it is normalised on its own image, and gets a scale and a shift of the style, the last one too.

    Args:
        width: Channels at the full size; twice and four times as many at a half and a quarter.

    Attributes:
        channels: The channels of each layer that is scaled and shifted.

    Shape:
        - content: (batch, 3, height, width), RGB in [0, 1], multiples of 4
        - style: (batch or 1, 2, channels of all layers), scales first
        - output: (batch, 3, height, width), in [0, 1]

    Example:
        >>> transformer = StyledTransformer(4)
        >>> transformer(torch.rand(1, 3, 16, 20), torch.rand(1, 2, sum(transformer.channels))).shape
        torch.Size([1, 3, 16, 20])
        >>> 2 * sum(StyledTransformer(32).channels)
        2758
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        wide, wider = 2 * width, 4 * width
        self.channels = (*([wider] * 2 * _BLOCKS), wide, width, 3)
        self.down = nn.ModuleList(
            [
                Convolution(3, width, 9, bias=False, border="reflect"),
                Convolution(width, wide, stride=2, bias=False, border="reflect"),
                Convolution(wide, wider, stride=2, bias=False, border="reflect"),
            ]
        )
        self.normalizations = nn.ModuleList(_batch_norm(count) for count in (width, wide, wider))
        self.blocks = nn.ModuleList(
            Convolution(wider, wider, bias=False, border="reflect") for _ in range(2 * _BLOCKS)
        )
        self.up = nn.ModuleList(
            [ResizeConvolution(wider, wide, bias=False), ResizeConvolution(wide, width, bias=False)]
        )
        self.output = Convolution(width, 3, 9, bias=False, border="reflect")
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=_DEVIATION)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """The picture."""
        scales, shifts = (torch.split(part, list(self.channels), 1) for part in style.unbind(1))
        parts = iter(zip(scales, shifts, strict=True))

        def normalized(features: Tensor) -> Tensor:
            return instance_normalization(features, *next(parts))

        features = content
        for layer, normalization in zip(self.down, self.normalizations, strict=True):
            features = relu(normalization(layer(features)))
        for first, second in zip(self.blocks[::2], self.blocks[1::2], strict=True):
            features = features + normalized(second(relu(normalized(first(features)))))
        for layer in self.up:
            features = relu(normalized(layer(features)))
        return normalized(self.output(features)).sigmoid()


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    """As TF-Slim has it: with a shift, and no scale that would be trained."""
    layer = nn.BatchNorm2d(channels, eps=1e-3, momentum=1e-3)
    layer.weight.requires_grad_(False)
    return layer
