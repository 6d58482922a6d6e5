from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pystyle._arguments import number, whole_number
from pystyle.networks import Decoder, DecoderLayer, Stylizer
from pystyle.papers._several_styles import each_style, of_one_style, of_several_styles
from pystyle.papers.deng_2022._transformer import ContentAwarePositions, EncoderLayer, StylizingLayer

_PATCH = 8


class StyTr2Network(Stylizer):
    """The network of the paper: two encoders, a decoder, and convolutions that paint.

    The code of a style are its encoded patches, so it has the size of the style. Of several styles each is
    looked at by itself, whatever its size, and what comes out is mixed.

    Args:
        width: Numbers of a patch; a multiple of 8. The convolutions have a half, a quarter and an eighth of
            them as channels.
        heads: How many attentions there are beside each other.
        layers: Layers of each encoder and of the decoder.
        inner: Numbers between the two layers behind the attentions.
        dropout: The share of numbers that a training leaves out.

    Raises:
        ValueError: If the width is no multiple of 8 and of the heads, or a number is out of range.

    Shape:
        - content, output: (batch, 3, height, width)
        - code: (batch, 1) and (batch, patches, width)

    Example:
        >>> network = StyTr2Network(width=16, heads=2, layers=1, inner=32)
        >>> paint = network.bind([(torch.rand(1, 3, 32, 40), 0.7), (torch.rand(1, 3, 48, 24), 0.3)])
        >>> paint(torch.rand(1, 3, 20, 61)).shape
        torch.Size([1, 3, 20, 61])
    """

    stride = _PATCH

    def __init__(
        self,
        *,
        width: int = 512,
        heads: int = 8,
        layers: int = 3,
        inner: int = 2048,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        width = whole_number(width, "`width`", least=8)
        if width % 8:
            raise ValueError(f"`width` must be a multiple of 8, got {width}.")
        self.width, self.heads = width, whole_number(heads, "`heads`", least=1)
        self.layers = whole_number(layers, "`layers`", least=1)
        self.inner = whole_number(inner, "`inner`", least=1)
        self.dropout = number(dropout, "`dropout`", least=0, below=1)
        sizes = {"heads": self.heads, "inner": self.inner}
        self.embedding = nn.Conv2d(3, width, _PATCH, stride=_PATCH)
        self.positions = ContentAwarePositions(width)
        self.content_layers, self.style_layers = (
            nn.ModuleList(EncoderLayer(width, **sizes, dropout=self.dropout) for _ in range(self.layers))
            for _ in range(2)
        )
        self.stylizing_layers = nn.ModuleList(
            StylizingLayer(width, **sizes, dropout=self.dropout) for _ in range(self.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.decoder = Decoder(_painting(width), border="reflect")

    def represent_style(self, style: Tensor) -> tuple[Tensor, ...]:
        """How much of the style, which is all, and its encoded patches."""
        patches = _in_a_row(self.embedding(style))
        for layer in self.style_layers:
            patches = layer(patches)
        return of_one_style([patches])

    def blend(self, codes: Sequence[tuple[Tensor, ...]], shares: Sequence[float]) -> tuple[Tensor, ...]:
        """The codes beside each other: what comes of them is mixed."""
        return of_several_styles(codes, shares)

    def forward(self, content: Tensor, code: tuple[Tensor, ...]) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        embedded = self.embedding(content)
        positions, patches = _in_a_row(self.positions(embedded)), _in_a_row(embedded)
        for layer in self.content_layers:
            patches = layer(patches, positions)
        found = [
            share[..., 0] * self._stylized(patches, positions, style)
            for share, (style,) in each_style(code, 1)
        ]
        mixed = torch.stack(found).sum(0).to(embedded.dtype)
        picture: Tensor = self.decoder(mixed.mT.reshape(embedded.shape))
        return picture

    def _stylized(self, patches: Tensor, positions: Tensor, style: Tensor) -> Tensor:
        """The patches of the content, which have looked at those of the style."""
        style = style.expand(len(patches), -1, -1)
        for layer in self.stylizing_layers:
            patches = layer(patches, positions, style)
        found: Tensor = self.norm(patches)
        return found


def _in_a_row(patches: Tensor) -> Tensor:
    """Patches in rows and columns as (batch, patches, width)."""
    return patches.flatten(2).mT


def _painting(width: int) -> list[DecoderLayer]:
    """The convolutions of the paper, which are those of AdaIN: from patches to pixels."""
    half, quarter, eighth = width // 2, width // 4, width // 8
    return [
        DecoderLayer(width, half),
        DecoderLayer(half, half, doubles=True),
        DecoderLayer(half, half),
        DecoderLayer(half, half),
        DecoderLayer(half, quarter),
        DecoderLayer(quarter, quarter, doubles=True),
        DecoderLayer(quarter, eighth),
        DecoderLayer(eighth, eighth, doubles=True),
        DecoderLayer(eighth, 3),
    ]


def network(
    *, width: int = 512, heads: int = 8, layers: int = 3, inner: int = 2048, dropout: float = 0.1
) -> StyTr2Network:
    """The network with random weights; see :class:`StyTr2Network`.

    Args:
        width: Numbers of a patch.
        heads: How many attentions there are beside each other.
        layers: Layers of each encoder and of the decoder.
        inner: Numbers between the two layers behind the attentions.
        dropout: The share of numbers that a training leaves out.

    Raises:
        ValueError: If the width is no multiple of 8 and of the heads, or a number is out of range.

    Example:
        >>> sum(parameter.numel() for parameter in network(width=64, layers=1, inner=128).parameters())
        188939
    """
    return StyTr2Network(width=width, heads=heads, layers=layers, inner=inner, dropout=dropout)
