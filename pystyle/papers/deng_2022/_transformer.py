from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate, scaled_dot_product_attention

from pystyle._arguments import whole_number
from pystyle.networks import Convolution

_POOLED = 18


class _Attention(nn.Module):
    """Attention with several heads, whose matrices do not exist as a whole where torch knows how."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        width, heads = whole_number(width, "`width`", least=1), whole_number(heads, "`heads`", least=1)
        if width % heads:
            raise ValueError(f"`width` must be a multiple of the {heads} heads, got {width}.")
        self.heads, self.dropout = heads, dropout
        self.queries, self.keys, self.values, self.output = (nn.Linear(width, width) for _ in range(4))
        for layer in (self.queries, self.keys, self.values):
            # As one matrix of three times the width, which is what torch's layer has.
            nn.init.xavier_uniform_(layer.weight, gain=0.5**0.5)
        nn.init.xavier_uniform_(self.output.weight)
        for layer in (self.queries, self.keys, self.values, self.output):
            nn.init.zeros_(layer.bias)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        seen = scaled_dot_product_attention(
            self._in_heads(self.queries(queries)),
            self._in_heads(self.keys(keys)),
            self._in_heads(self.values(values)),
            dropout_p=self.dropout if self.training else 0.0,
        )
        found: Tensor = self.output(seen.transpose(1, 2).flatten(2))
        return found

    def _in_heads(self, tokens: Tensor) -> Tensor:
        """(batch, heads, tokens, width of a head)."""
        return tokens.reshape(*tokens.shape[:2], self.heads, -1).transpose(1, 2)


def _feed_forward(width: int, inner: int, dropout: float) -> nn.Sequential:
    inner = whole_number(inner, "`inner`", least=1)
    first, last = nn.Linear(width, inner), nn.Linear(inner, width)
    for layer in (first, last):
        nn.init.xavier_uniform_(layer.weight)
    return nn.Sequential(first, nn.ReLU(), nn.Dropout(dropout), last)


class EncoderLayer(nn.Module):
    """Patches of an image look at each other.

    Args:
        width: Numbers of a patch.
        heads: How many attentions there are beside each other.
        inner: Numbers between the two layers behind the attention.
        dropout: The share of numbers that a training leaves out.

    Raises:
        ValueError: If the width is no multiple of the heads, or a number is not positive.

    Shape:
        - patches, positions, output: (batch, patches, width)

    Example:
        >>> import torch
        >>> EncoderLayer(8, heads=2, inner=16)(torch.rand(1, 5, 8)).shape
        torch.Size([1, 5, 8])
    """

    def __init__(self, width: int, *, heads: int, inner: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = _Attention(width, heads, dropout)
        self.feed_forward = _feed_forward(width, inner, dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, patches: Tensor, positions: Tensor | None = None) -> Tensor:
        """The patches of the next layer."""
        placed = patches if positions is None else patches + positions
        patches = self.norms[0](patches + self.dropout(self.attention(placed, placed, patches)))
        found: Tensor = self.norms[1](patches + self.dropout(self.feed_forward(patches)))
        return found


class StylizingLayer(nn.Module):
    """Patches of a content look at those of a style, twice: the layer of the decoder.

    Args:
        width: Numbers of a patch.
        heads: How many attentions there are beside each other.
        inner: Numbers between the two layers behind the attentions.
        dropout: The share of numbers that a training leaves out.

    Raises:
        ValueError: If the width is no multiple of the heads, or a number is not positive.

    Shape:
        - patches, positions, output: (batch, patches, width)
        - style: (batch, other patches, width)

    Example:
        >>> import torch
        >>> layer = StylizingLayer(8, heads=2, inner=16)
        >>> layer(torch.rand(1, 5, 8), torch.rand(1, 5, 8), torch.rand(1, 3, 8)).shape
        torch.Size([1, 5, 8])
    """

    def __init__(self, width: int, *, heads: int, inner: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.attentions = nn.ModuleList(_Attention(width, heads, dropout) for _ in range(2))
        self.feed_forward = _feed_forward(width, inner, dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, patches: Tensor, positions: Tensor, style: Tensor) -> Tensor:
        """The patches of the next layer."""
        for attention, norm in zip(self.attentions, self.norms, strict=False):
            patches = norm(patches + self.dropout(attention(patches + positions, style, style)))
        found: Tensor = self.norms[2](patches + self.dropout(self.feed_forward(patches)))
        return found


class ContentAwarePositions(nn.Module):
    """Where patches lie, as the content tells it (CAPE): the same in any size of the picture.

    Args:
        width: Numbers of a patch.

    Raises:
        ValueError: If it is not positive.

    Shape:
        - embedded, output: (batch, width, rows, columns)

    Example:
        >>> import torch
        >>> ContentAwarePositions(8)(torch.rand(1, 8, 5, 30)).shape
        torch.Size([1, 8, 5, 30])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = Convolution(width, width, 1)

    def forward(self, embedded: Tensor) -> Tensor:
        """What is added to the patches."""
        pooled = self.convolution(adaptive_avg_pool2d(embedded, _POOLED))
        return interpolate(pooled, embedded.shape[2:], mode="bilinear", align_corners=False)
