import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d
from torch.nn.utils.parametrizations import spectral_norm

from pystyle._arguments import whole_number
from pystyle.functional import position_attention


class SelfAttention(nn.Module):
    r"""A layer in which each position sees all others of its image, and adds what it saw to itself.

    .. math:: y = x + \gamma W_o \operatorname{attention}(W_q x, \operatorname{pool} W_k x,
              \operatorname{pool} W_v x)

    All :math:`W` are convolutions of 1 x 1 without biases. :math:`\gamma` is learned and 0 at first, so that
    the layer can be put anywhere and changes nothing until it is trained.

    Args:
        channels: Channels of the features. Queries and keys have an eighth of them, values half of them, at
            least one.
        spectral: Divide each kernel by its largest singular value, as published, so that none amplifies.

    Raises:
        ValueError: If the number is not positive.

    Shape:
        - features, output: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> features = torch.rand(1, 16, 9, 5)
        >>> torch.equal(SelfAttention(16)(features), features)
        True

    Note:
        Keys and values are the largest of 2 x 2 positions. Where a side is odd, its last row or column is
        pooled by itself; the authors' code, whose sides are even, would drop it. Memory grows with a quarter
        of the square of the number of positions if a gradient is wanted.

    References:
        Zhang, Goodfellow, Metaxas and Odena, *Self-Attention Generative Adversarial Networks*, ICML 2019,
        section 3, with the numbers of channels and the pooling of the authors' code.
    """

    def __init__(self, channels: int, *, spectral: bool = True) -> None:
        super().__init__()
        self.channels = whole_number(channels, "`channels`", least=1)
        self.spectral = bool(spectral)
        few, half = max(self.channels // 8, 1), max(self.channels // 2, 1)
        self.queries = _convolution(self.channels, few, spectral)
        self.keys = _convolution(self.channels, few, spectral)
        self.values = _convolution(self.channels, half, spectral)
        self.output = _convolution(half, self.channels, spectral)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """The features and what their positions saw of each other."""
        keys, values = (max_pool2d(layer(features), 2, ceil_mode=True) for layer in (self.keys, self.values))
        seen = position_attention(self.queries(features), keys, values).to(features.dtype)
        output: Tensor = features + self.gamma * self.output(seen)
        return output


def _convolution(inputs: int, outputs: int, spectral: bool) -> nn.Module:
    layer = nn.Conv2d(inputs, outputs, 1, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return spectral_norm(layer) if spectral else layer
