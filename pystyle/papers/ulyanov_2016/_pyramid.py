from typing import Literal, TypeAlias, cast, get_args

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from pystyle._arguments import number, whole_number
from pystyle.networks._one_style_network import OneStyleNetwork
from pystyle.papers._bgr_levels import BGRLevels
from pystyle.papers._normalizations import Normalization, check_normalization, normalization_layer

Inputs: TypeAlias = Literal["noise", "content", "both"]
Border: TypeAlias = Literal["circular", "replicate"]

NOISE_CHANNELS = 3
_MOST_SCALES = 6


class PyramidNetwork(OneStyleNetwork):
    """The multi-scale generator: what it sees at each size joins what it has made at half of it.

    With ``inputs="noise"`` the content is noise in [0, 1], and each other noise gives another sample. With
    ``"both"`` there are three channels of noise beside the content: drawn anew in each step of a training,
    and otherwise the same in each picture; :meth:`painted` takes others.

    Args:
        inputs: What is seen: ``"noise"``, the ``"content"``, or ``"both"``.
        num_scales: How many sizes there are, each half of the one before; up to 6.
        channels: Channels that each size adds.
        pointwise: Whether a convolution of 1 x 1 follows those of 3 x 3.
        normalization: ``"batch"`` or ``"instance"``.
        negative_slope: The slope of the activations for negative numbers.
        border: ``"circular"``, so that textures can be laid beside themselves, or ``"replicate"``.
        style: The name of the style.

    Raises:
        ValueError: If an argument has an unknown value, or a number is impossible.
        TypeError: If the name is no string.

    Shape:
        - content, output: (batch, 3, height, width), multiples of 32
        - code: (batch, 0)

    Example:
        >>> texture = PyramidNetwork(num_scales=3, channels=2).bind("style")
        >>> texture(torch.rand(2, 3, 64, 96)).shape
        torch.Size([2, 3, 64, 96])
    """

    stride = 2 ** (_MOST_SCALES - 1)
    smallest = 64

    def __init__(
        self,
        *,
        inputs: Inputs = "noise",
        num_scales: int = _MOST_SCALES,
        channels: int = 8,
        pointwise: bool = True,
        normalization: Normalization = "batch",
        negative_slope: float = 0.01,
        border: Border = "circular",
        style: str = "style",
    ) -> None:
        super().__init__(style)
        for name, value, kind in (("inputs", inputs, Inputs), ("border", border, Border)):
            if value not in get_args(kind):
                raise ValueError(f"`{name}` must be one of {get_args(kind)}, got {value!r}.")
        check_normalization(normalization)
        self.num_scales = num_scales = whole_number(num_scales, "`num_scales`", least=1, most=_MOST_SCALES)
        self.inputs: Inputs = inputs
        self.pointwise = bool(pointwise)
        self.channels = channels = whole_number(channels, "`channels`", least=1)
        self.normalization: Normalization = normalization
        self.negative_slope = number(negative_slope, "`negative_slope`", least=0)
        self.border: Border = border
        seen = 3 + (NOISE_CHANNELS if inputs == "both" else 0)
        wide = [channels * (index + 1) for index in range(num_scales)]
        self.branches = nn.ModuleList(self._block(seen, channels) for _ in wide)
        self.joins = nn.ModuleList(
            nn.ModuleList(
                [
                    normalization_layer(normalization, before),
                    normalization_layer(normalization, channels),
                    self._block(before + channels, before + channels),
                ]
            )
            for before in wide[:-1]
        )
        self.output = nn.Conv2d(wide[-1], 3, 1)
        self.levels = BGRLevels()

    def forward(self, content: Tensor, code: Tensor) -> Tensor:  # noqa: ARG002
        """The picture; some of its pixels may leave [0, 1]."""
        return self.painted(content, None if self.training else Generator().manual_seed(0))

    def painted(self, content: Tensor, generator: Generator | None = None) -> Tensor:
        """The picture, with noise from a generator on the CPU; from torch's global one if not given.

        The images of a batch have the same noise from a generator, and each its own from the global one.
        """
        features = self.branches[0](self._seen(content, 2 ** (self.num_scales - 1), generator))
        for index, join in enumerate(self.joins, start=1):
            old, new, block = cast(nn.ModuleList, join)
            ratio = 2 ** (self.num_scales - 1 - index)
            branch = self.branches[index](self._seen(content, ratio, generator))
            features = interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(torch.cat([old(features), new(branch)], 1))
        picture: Tensor = self.levels(self.output(features))
        return picture

    def _seen(self, content: Tensor, ratio: int, generator: Generator | None) -> Tensor:
        """What is seen where the sides are divided by a ratio."""
        if self.inputs == "noise":
            # No two sizes but the finest see the same numbers of the noise.
            return content[:, :, ratio // 2 :: ratio, ratio // 2 :: ratio]
        small = avg_pool2d(content, ratio)
        return small if self.inputs == "content" else with_noise(small, generator)

    def _block(self, in_channels: int, out_channels: int) -> nn.Sequential:
        """Convolutions, each with a normalisation and an activation."""
        layers: list[nn.Module] = []
        for size in (3, 3, 1) if self.pointwise else (3, 3):
            layers += [
                nn.Conv2d(in_channels, out_channels, size, padding=size // 2, padding_mode=self.border),
                normalization_layer(self.normalization, out_channels),
                nn.LeakyReLU(self.negative_slope),
            ]
            in_channels = out_channels
        return nn.Sequential(*layers)


def with_noise(content: Tensor, generator: Generator | None) -> Tensor:
    """The content and three channels of uniform noise: from a generator the same for all images of a batch.

    Shape:
        - content: (batch, channels, height, width)
        - output: (batch, channels + 3, height, width)
    """
    count, _, height, width = content.shape
    shape = (count if generator is None else 1, NOISE_CHANNELS, height, width)
    noise = torch.rand(shape, generator=generator, dtype=torch.float32, device="cpu")
    return torch.cat([content, noise.to(content).expand(count, -1, -1, -1)], 1)
