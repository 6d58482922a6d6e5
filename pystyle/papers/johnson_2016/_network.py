from torch import Tensor, nn
from torch.nn.functional import pad

from pystyle._arguments import whole_number
from pystyle.networks import Convolution, Stylizer, TransformNetwork
from pystyle.networks._one_style_network import OneStyleNetwork
from pystyle.papers._bgr_levels import BGRLevels
from pystyle.papers._normalizations import Normalization, check_normalization, normalization_layer
from pystyle.papers.johnson_2016._variants import Variant, check_variant

_BLOCKS = 5
_CROP = 2
"""What two convolutions of 3 x 3 without a border take away at each side."""
_PADDING = 4 * _BLOCKS * _CROP
"""Pixels at the front, which the blocks take away at a quarter of the size."""
_RANGE = 150.0


class ImageTransformNetwork(OneStyleNetwork):
    """The image transformation network of the authors' code, for one style.

    It sees the content as the VGG of Caffe would: BGR, in levels of 255, with the means subtracted. So is
    what it gives, between -150 and 150; some pixels may leave [0, 1].

    Args:
        width: Channels at the full size; twice and four times as many at a half and a quarter of it.
        normalization: ``"instance"`` or ``"batch"``.
        style: The name of the style.

    Raises:
        ValueError: If the width is not positive, or the normalisation another.
        TypeError: If the name is no string.

    Shape:
        - content, output: (batch, 3, height, width), multiples of 4 above 40
        - code: (batch, 0)

    Example:
        >>> import torch
        >>> paint = ImageTransformNetwork(width=4).bind("style")
        >>> paint(torch.rand(1, 3, 50, 61)).shape
        torch.Size([1, 3, 50, 61])
        >>> sum(parameter.numel() for parameter in ImageTransformNetwork(width=32).parameters())
        1679235
    """

    stride = 4
    smallest = _PADDING + 1

    def __init__(
        self, *, width: int = 32, normalization: Normalization = "instance", style: str = "style"
    ) -> None:
        super().__init__(style)
        check_normalization(normalization)
        self.width = width = whole_number(width, "`width`", least=1)
        self.normalization: Normalization = normalization
        wide, wider = 2 * width, 4 * width

        def normalized(convolution: nn.Module, channels: int) -> nn.Sequential:
            return nn.Sequential(convolution, normalization_layer(normalization, channels))

        self.down = nn.ModuleList(
            [
                normalized(Convolution(3, width, 9, border="zeros"), width),
                normalized(Convolution(width, wide, stride=2, border="zeros"), wide),
                normalized(Convolution(wide, wider, stride=2, border="zeros"), wider),
            ]
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *normalized(nn.Conv2d(wider, wider, 3), wider),
                nn.ReLU(),
                *normalized(nn.Conv2d(wider, wider, 3), wider),
            )
            for _ in range(_BLOCKS)
        )
        self.up = nn.ModuleList(
            [normalized(_doubling(wider, wide), wide), normalized(_doubling(wide, width), width)]
        )
        self.output = Convolution(width, 3, 9, border="zeros")
        self.levels = BGRLevels()

    def forward(self, content: Tensor, code: Tensor) -> Tensor:  # noqa: ARG002
        """The picture; some of its pixels may leave [0, 1]."""
        features = pad(self.levels.of(content), [_PADDING] * 4, mode="reflect")
        for layer in self.down:
            features = layer(features).relu()
        for block in self.blocks:
            features = features[..., _CROP:-_CROP, _CROP:-_CROP] + block(features)
        for layer in self.up:
            features = layer(features).relu()
        picture: Tensor = self.levels(_RANGE * self.output(features).tanh())
        return picture


def _doubling(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)


def network(
    *,
    variant: Variant = "code",
    width: int = 32,
    normalization: Normalization | None = None,
    style: str = "style",
) -> Stylizer:
    """The network, with random weights; see :class:`ImageTransformNetwork`.

    Args:
        variant: Whose network; ``"pytorch"`` is a :class:`~pystyle.networks.TransformNetwork`.
        width: Channels at the full size. The released networks with instance normalisation have 16.
        normalization: ``"instance"`` or ``"batch"``; ``"batch"`` for the paper and ``"instance"`` for the
            others if not given.
        style: The name of the style.

    Raises:
        ValueError: If the variant or the normalisation is unknown, the variant ``"pytorch"`` is to normalise
            batches, or the width is not positive.

    Example:
        >>> sum(parameter.numel() for parameter in network(width=16).parameters())
        424899
        >>> network(variant="pytorch").border
        'reflect'
    """
    check_variant(variant)
    if variant == "pytorch":
        if normalization not in (None, "instance"):
            raise ValueError(
                f"`normalization` must be 'instance' with `variant` = 'pytorch', got {normalization!r}."
            )
        return TransformNetwork(width=width, styles=[style], border="reflect")
    default: Normalization = "batch" if variant == "paper" else "instance"
    return ImageTransformNetwork(width=width, normalization=normalization or default, style=style)
