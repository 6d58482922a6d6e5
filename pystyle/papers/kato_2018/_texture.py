from torch import Tensor, nn

from pystyle.parametrizations import Parametrization
from pystyle.parametrizations._initial import initial_values
from pystyle.typing import Wrap

_DEEPEST = 1e-3
"""A black texel would need an infinite logit."""


class SquashedTexture(Parametrization):
    """Texels that are a sigmoid of what is optimised.

    Args:
        image: What to start from; texels nearer to black or white than a thousandth are moved there.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> grey = torch.full((1, 3, 4, 4), 0.5)
        >>> texture = SquashedTexture(grey)
        >>> torch.equal(texture(), grey), texture.logits.abs().max().item()
        (True, 0.0)
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(initial_values(image).clamp_(_DEEPEST, 1 - _DEEPEST).logit_())

    def wraps(self, wrap: Wrap) -> bool:
        """Always: each texel is itself alone."""
        del wrap
        return True

    def forward(self) -> Tensor:
        """The texels."""
        return self.logits.sigmoid()
