from typing import get_args

from torch import Generator, Tensor, nn

from pystyle._arguments import whole_number
from pystyle.networks import Convolution
from pystyle.networks._one_style_network import OneStyleNetwork
from pystyle.papers._bgr_levels import BGRLevels
from pystyle.papers._normalizations import Normalization, check_normalization, normalization_layer
from pystyle.papers.ulyanov_2016._pyramid import NOISE_CHANNELS, Inputs, with_noise

_BLOCKS = 5


class ResidualNetwork(OneStyleNetwork):
    """The generator after Johnson et al.: pixels repeated at borders, 3 x 3 and no activation at the end.

    With ``inputs="noise"`` the content is noise. With ``"both"`` there are three channels of noise beside the
    content: drawn anew in each step of a training, and otherwise the same in each picture; :meth:`painted`
    takes others.

    Args:
        inputs: What is seen: the ``"content"``, ``"both"``, or ``"noise"``.
        width: Channels at the full size; twice and four times as many at a half and a quarter of it.
        normalization: ``"instance"`` or ``"batch"``.
        style: The name of the style.

    Raises:
        ValueError: If an argument has an unknown value, or the width is not positive.
        TypeError: If the name is no string.

    Shape:
        - content, output: (batch, 3, height, width), multiples of 4
        - code: (batch, 0)

    Example:
        >>> import torch
        >>> paint = ResidualNetwork(width=2).bind("style")
        >>> paint(torch.rand(1, 3, 50, 37)).shape
        torch.Size([1, 3, 50, 37])
    """

    stride = 4
    can_wrap = True

    def __init__(
        self,
        *,
        inputs: Inputs = "content",
        width: int = 32,
        normalization: Normalization = "instance",
        style: str = "style",
    ) -> None:
        super().__init__(style)
        if inputs not in get_args(Inputs):
            raise ValueError(f"`inputs` must be one of {get_args(Inputs)}, got {inputs!r}.")
        check_normalization(normalization)
        self.inputs: Inputs = inputs
        self.width = width = whole_number(width, "`width`", least=1)
        self.normalization: Normalization = normalization
        seen = 3 + (NOISE_CHANNELS if inputs == "both" else 0)
        wide, wider = 2 * width, 4 * width

        def normalized(convolution: nn.Module, channels: int) -> list[nn.Module]:
            return [convolution, normalization_layer(normalization, channels)]

        self.down = nn.Sequential(
            *normalized(Convolution(seen, width, 9), width),
            nn.ReLU(),
            *normalized(Convolution(width, wide, stride=2), wide),
            nn.ReLU(),
            *normalized(Convolution(wide, wider, stride=2), wider),
            nn.ReLU(),
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *normalized(Convolution(wider, wider), wider),
                nn.ReLU(),
                *normalized(Convolution(wider, wider), wider),
            )
            for _ in range(_BLOCKS)
        )
        self.up = nn.Sequential(
            *normalized(nn.ConvTranspose2d(wider, wide, 3, 2, 1, output_padding=1), wide),
            nn.ReLU(),
            *normalized(nn.ConvTranspose2d(wide, width, 3, 2, 1, output_padding=1), width),
            nn.ReLU(),
            Convolution(width, 3),
        )
        self.levels = BGRLevels()

    def forward(self, content: Tensor, code: Tensor) -> Tensor:  # noqa: ARG002
        """The picture; some of its pixels may leave [0, 1]."""
        return self.painted(content, None if self.training else Generator().manual_seed(0))

    def painted(self, content: Tensor, generator: Generator | None = None) -> Tensor:
        """The picture, with noise from a generator on the CPU; from torch's global one if not given.

        The images of a batch have the same noise from a generator, and each its own from the global one.
        """
        features = self.down(with_noise(content, generator) if self.inputs == "both" else content)
        for block in self.blocks:
            features = features + block(features)
        picture: Tensor = self.levels(self.up(features))
        return picture
