from torch import Tensor, nn

from pystyle._arguments import whole_number
from pystyle._wrapping import checked_wrap, interpolate_wrapped
from pystyle.parametrizations._initial import initial_values
from pystyle.parametrizations._parametrization import Parametrization
from pystyle.typing import Wrap


class LowResolution(Parametrization):
    """The pixels of a smaller image, enlarged bilinearly.

    Nothing finer than these pixels can arise, so there is no noise for an encoder to hide in.

    Args:
        image: What to start from. Its finest details are lost, the more the larger `factor` is.
        factor: Pixels of the image per pixel of the smaller one, along each side.
        wrap: The sides beyond which the image goes on with its other side: ``"both"``, ``"horizontal"`` or
            None. So does the smaller one where it is enlarged.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape, `factor` is smaller than 1, or `wrap` is unknown.

    Shape:
        - image: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> small = LowResolution(torch.rand(1, 3, 33, 48), factor=4)
        >>> small.pixels.shape, small().shape
        (torch.Size([1, 3, 9, 12]), torch.Size([1, 3, 33, 48]))

    Note:
        It is for an image that stays as soft as that to the end. To start with a small one, take a
        :class:`~pystyle.Pyramid`, which is cheaper.
    """

    projected = True

    def __init__(self, image: Tensor, *, factor: int = 2, wrap: Wrap | None = None) -> None:
        super().__init__()
        self.wrap = checked_wrap(wrap)
        factor = whole_number(factor, "`factor`", least=1)
        pixels = initial_values(image)
        self.size = (pixels.shape[2], pixels.shape[3])
        small = (-(-self.size[0] // factor), -(-self.size[1] // factor))
        found = interpolate_wrapped(pixels, small, wrap=self.wrap, mode="bilinear", antialias=True)
        self.pixels = nn.Parameter(found.contiguous())

    def wraps(self, wrap: Wrap) -> bool:
        """Whether it was made to."""
        return self.wrap in ("both", wrap)

    def forward(self) -> Tensor:
        """The enlarged image. Each pixel is a mean of those of the small one, so it keeps to their bounds."""
        return interpolate_wrapped(self.pixels, self.size, wrap=self.wrap, mode="bilinear")
