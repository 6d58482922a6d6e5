from torch import Tensor, nn

from pystyle.parametrizations._initial import initial_values
from pystyle.parametrizations._parametrization import Parametrization
from pystyle.typing import Wrap


class Pixels(Parametrization):
    """The pixels themselves.

    Args:
        image: What to start from; it is copied.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> image = torch.rand(1, 3, 8, 8)
        >>> torch.equal(Pixels(image)(), image)
        True
    """

    projected = True

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.pixels = nn.Parameter(initial_values(image))

    def wraps(self, wrap: Wrap) -> bool:
        """Always: each pixel is itself alone."""
        del wrap
        return True

    def forward(self) -> Tensor:
        """The parameter itself."""
        return self.pixels
