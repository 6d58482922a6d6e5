from torch import Tensor, nn
from torch.nn.functional import interpolate

from pystyle._arguments import whole_number
from pystyle._wrapping import checked_wrap, interpolate_wrapped
from pystyle.parametrizations._clamp import clamp_with_gradient
from pystyle.parametrizations._initial import initial_values
from pystyle.parametrizations._parametrization import Parametrization
from pystyle.typing import Wrap


class LaplacianPyramid(Parametrization):
    """A Laplacian pyramid: what each halving of the image loses, and the small image that is left.

    A step in a coarse band moves many pixels together. So large areas change their colours in a few steps
    that pixel by pixel take many.

    Args:
        image: What to start from; it is clamped to [0, 1].
        num_levels: How many times it is halved. A side of one pixel is not halved any more, so small
            images have fewer bands.
        wrap: The sides beyond which the image goes on with its other side: ``"both"``, ``"horizontal"`` or
            None. So do the bands where they are enlarged.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape, `num_levels` is negative, or `wrap` is unknown.

    Shape:
        - image: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> image = torch.rand(1, 3, 32, 48)
        >>> pyramid = LaplacianPyramid(image, num_levels=2)
        >>> [tuple(band.shape[2:]) for band in pyramid.bands]
        [(32, 48), (16, 24), (8, 12)]
        >>> torch.allclose(pyramid(), image, atol=1e-6)
        True

    Note:
        The sum of the bands may leave [0, 1] and is clamped by :func:`clamp_with_gradient`. STROTSS and NNST
        leave it as it is and clamp when they save.

    References:
        Burt, Adelson. *The Laplacian pyramid as a compact image code*. IEEE Transactions on
        Communications, 1983. Kolkin, Salavon, Shakhnarovich. *Style transfer by relaxed optimal transport
        and self-similarity*. CVPR 2019, section 2.4 (5 levels; here, too, resized bilinearly).
    """

    def __init__(self, image: Tensor, *, num_levels: int = 5, wrap: Wrap | None = None) -> None:
        super().__init__()
        self.wrap = checked_wrap(wrap)
        num_levels = whole_number(num_levels, "`num_levels`", least=0)
        rest = initial_values(image).clamp_(0, 1)
        bands: list[Tensor] = []
        while len(bands) < num_levels and max(rest.shape[2:]) > 1:
            height, width = rest.shape[2:]
            coarse = _resized(rest, ((height + 1) // 2, (width + 1) // 2), self.wrap)
            bands.append(rest - _resized(coarse, (height, width), self.wrap))
            rest = coarse
        self.bands = nn.ParameterList([*bands, rest])

    def wraps(self, wrap: Wrap) -> bool:
        """Whether it was made to."""
        return self.wrap in ("both", wrap)

    def forward(self) -> Tensor:
        """The sum of the bands, from the coarsest to the finest, clamped."""
        *bands, image = self.bands
        for band in reversed(bands):
            image = _resized(image, (band.shape[2], band.shape[3]), self.wrap) + band
        return clamp_with_gradient(image)


def _resized(image: Tensor, size: tuple[int, int], wrap: Wrap | None) -> Tensor:
    if wrap is not None:
        return interpolate_wrapped(image, size, wrap=wrap, mode="bilinear")
    return interpolate(image, size, mode="bilinear", align_corners=False)
