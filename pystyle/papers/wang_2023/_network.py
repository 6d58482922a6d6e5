from typing import NamedTuple

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.networks import Stylizer
from pystyle.papers.wang_2023._parts import MicroDecoder, MicroEncoder, Modulator, moments_of

_WIDTH = 16


class StyleSignals(NamedTuple):
    """What :class:`MicroASTNetwork` keeps of a style: its signals of both modulations, at two depths.

    Shape:
        - moments: (batch, 2 depths, 2, channels), means and deviations of the features
        - filters: (batch, 2 depths, 2, channels), weights and biases of the convolutions

    Example:
        >>> code = MicroASTNetwork().represent_style(torch.rand(1, 3, 32, 32))
        >>> [tuple(tensor.shape) for tensor in code]
        [(1, 2, 2, 64), (1, 2, 2, 64)]
    """

    moments: Tensor
    filters: Tensor


class MicroASTNetwork(Stylizer):
    """The network of the paper: two micro encoders, a modulator and a micro decoder.

    The code of a style are its signals, of which blends are means.

    Args:
        width: Channels at the full size; the authors' networks have 16, and four times as many at a quarter.

    Raises:
        ValueError: If the width is not positive.

    Shape:
        - content, output: (batch, 3, height, width)
        - code: see :class:`StyleSignals`

    Example:
        >>> paint = MicroASTNetwork(width=4).bind(torch.rand(1, 3, 32, 40))
        >>> paint(torch.rand(1, 3, 50, 37), strength=0.5).shape
        torch.Size([1, 3, 50, 37])
    """

    can_wrap = True

    def __init__(self, *, width: int = _WIDTH) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        self.content_encoder = MicroEncoder(self.width)
        self.style_encoder = MicroEncoder(self.width)
        self.modulator = Modulator(4 * self.width)
        self.decoder = MicroDecoder(self.width)

    def represent_style(self, style: Tensor) -> StyleSignals:
        """The signals of both modulations."""
        features = self.style_encoder(style)
        moments = torch.stack([moments_of(seen) for seen in features], 1)
        return StyleSignals(moments, self.modulator(features))

    def forward(self, content: Tensor, code: StyleSignals) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        return self.mixed(content, code, 1.0)

    def mixed(self, content: Tensor, code: StyleSignals, strength: float) -> Tensor:
        """The picture with features between their own moments and those of the style, at both depths.

        As in the authors' code the filters are those of the style at any strength. So a strength of 0 is
        what the decoder makes of the features of the content, and not the content.
        """
        features = self.content_encoder(content)[-1]
        picture: Tensor = self.decoder(features, code.moments, code.filters, strength)
        return picture


def network(*, width: int = _WIDTH) -> MicroASTNetwork:
    """The network with random weights; see :class:`MicroASTNetwork`.

    Args:
        width: Channels at the full size.

    Raises:
        ValueError: If the width is not positive.

    Example:
        >>> sum(parameter.numel() for parameter in network().parameters())
        471987
    """
    return MicroASTNetwork(width=width)
