from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm, interpolate, pad, relu

from pystyle._arguments import seed_number, whole_number
from pystyle.encoders._construction import construction, seeded
from pystyle.parametrizations import Parametrization
from pystyle.parametrizations._initial import initial_values

_STRIDE = 8
_SMALLEST = 16
"""A map of a single position has no variance to be normalised by."""


class _Block(nn.Module):
    """Two convolutions with instance normalisation, beside one of a single pixel."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, features: Tensor) -> Tensor:
        inner = relu(instance_norm(self.first(features)))
        found: Tensor = relu(instance_norm(self.second(inner))) + self.skip(features)
        return found


class UNet(nn.Module):
    """The network of the authors: three halvings, each of which the way up sees again.

    Args:
        width: Channels at the full size; up to 8 times as many at an eighth.

    Raises:
        ValueError: If `width` is not positive.

    Shape:
        - image: (batch, 3, height, width), multiples of 8 and at least 16
        - output: the same, in [0, 1]

    Example:
        >>> sum(parameter.numel() for parameter in UNet().parameters())
        615267
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        width = whole_number(width, "`width`", least=1)
        widths = (width, width, 2 * width, 4 * width)
        self.enter = nn.Conv2d(3, width, 1)
        self.start = _Block(width, width)
        self.down = nn.ModuleList([_Block(inputs, outputs) for inputs, outputs in pairwise(widths)])
        self.halve = nn.ModuleList([nn.Conv2d(each, each, 4, stride=2, padding=1) for each in widths[1:]])
        self.middle = _Block(4 * width, 8 * width)
        self.up = nn.ModuleList([_Block(3 * each, each) for each in (4 * width, 2 * width, width)])
        self.end = _Block(2 * width, width)
        self.leave = nn.Conv2d(width, 3, 1)

    def forward(self, image: Tensor) -> Tensor:
        """The picture."""
        first = features = self.start(self.enter(image))
        kept = []
        for block, halve in zip(self.down, self.halve, strict=True):
            kept.append(block(features))
            features = halve(kept[-1])
        features = self.middle(features)
        for block in self.up:
            larger = interpolate(features, scale_factor=2, mode="bilinear")
            features = block(torch.cat([larger, kept.pop()], 1))
        return torch.sigmoid(self.leave(self.end(torch.cat([features, first], 1))))


class PhotographNetwork(Parametrization):
    """A network that paints one photograph, in the place of its pixels.

    Unlike other parametrizations it does not start with the image that it is made from, but with what a
    network of random weights makes of it.

    Args:
        image: The photograph.
        width: Channels of the network at the full size.
        seed: Of its weights.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape, or `width` is not positive.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1], of any size

    Example:
        >>> import torch
        >>> PhotographNetwork(torch.rand(1, 3, 21, 30), width=2)().shape
        torch.Size([1, 3, 21, 30])

    References:
        Kwon, Ye. *CLIPstyler: image style transfer with a single text condition*. CVPR 2022, and its
        ``StyleNet.py``.
    """

    photograph: Tensor

    def __init__(self, image: Tensor, *, width: int = 16, seed: int = 0) -> None:
        super().__init__()
        photograph = initial_values(image)
        self.size = (image.shape[2], image.shape[3])
        height, width_in_pixels = (max(side + -side % _STRIDE, _SMALLEST) for side in self.size)
        margins = (0, width_in_pixels - self.size[1], 0, height - self.size[0])
        self.register_buffer("photograph", pad(photograph, margins, mode="replicate"))
        with construction(), seeded(seed_number(seed)):
            self.network = UNet(width).to(photograph)

    def forward(self) -> Tensor:
        """What the network makes of the photograph, in [0, 1]."""
        picture: Tensor = self.network(self.photograph)
        return picture[:, :, : self.size[0], : self.size[1]]
