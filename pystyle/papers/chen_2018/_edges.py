"""Edges, and images without them: what a discriminator must not take for drawings."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d, pad

from pystyle._arguments import check_image, number, whole_number
from pystyle.colors import luminance

_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))
_BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)
"""The Gaussian of five pixels, as OpenCV has it."""
_SLOPE = 2**0.5 - 1
"""The tangent of 22.5 degrees, up to which a direction counts as along an axis."""


def gray(image: Tensor) -> Tensor:
    """The luminance of an image, in all three channels.

    Args:
        image: The image.

    Shape:
        - image, output: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> gray(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)).flatten()
        tensor([0.2990, 0.2990, 0.2990])
    """
    return luminance(image).expand_as(image)


@torch.no_grad()
def edges(image: Tensor, *, low: float = 100 / 255, high: float = 200 / 255) -> Tensor:
    """Where an image has edges, one pixel wide, as Canny finds them.

    The gradient of the luminance is largest there along its own direction. It is above `high`, or above `low`
    and the edge leads to a pixel where it is above `high`.

    Args:
        image: The image.
        low: The smallest gradient on an edge: the sum of both absolute values that Sobel's kernels give.
        high: The gradient that an edge has somewhere.

    Returns:
        True on the edges.

    Raises:
        ValueError: If the image has another shape, or `high` is below `low`.
        TypeError: If the image is no floating-point tensor.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, 1, height, width)

    Example:
        >>> image = torch.zeros(1, 3, 3, 6)
        >>> image[..., 3:] = 1.0
        >>> edges(image)[0, 0].int()
        tensor([[0, 0, 1, 0, 0, 0],
                [0, 0, 1, 0, 0, 0],
                [0, 0, 1, 0, 0, 0]], dtype=torch.int32)

    References:
        Canny, *A computational approach to edge detection*, PAMI 1986; without its first blur and with the
        sum of absolute values, as in OpenCV.
    """
    check_image(image, "`image`")
    low = number(low, "`low`", least=0)
    high = number(high, "`high`", least=low)
    across = torch.tensor(_SOBEL, dtype=image.dtype, device=image.device)
    kernels = torch.stack([across, across.mT])[:, None]
    gradient = conv2d(pad(luminance(image), [1] * 4, mode="replicate"), kernels)
    x, y = gradient[:, :1], gradient[:, 1:]
    strength = x.abs() + y.abs()
    thin = _is_largest(strength, x, y)
    weak, found = thin & (strength > low), thin & (strength > high)
    while True:
        grown = weak & (max_pool2d(found.to(image), 3, 1, 1) > 0)
        if torch.equal(grown, found):
            return found
        found = grown


def smoothed_edges(image: Tensor, *, size: int = 5) -> Tensor:
    """An image that is blurred along its edges and nowhere else.

    Args:
        image: The image, with sides of at least three pixels.
        size: The edge of the square by which each edge grows before it is blurred, an odd number of pixels.

    Raises:
        ValueError: If the image has another shape, or the size is even or not positive.
        TypeError: If the image is no floating-point tensor.

    Shape:
        - image, output: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> image = torch.zeros(1, 3, 4, 8)
        >>> image[..., 4:] = 1.0
        >>> smoothed_edges(image)[0, 0, 0]
        tensor([0.0000, 0.0000, 0.0625, 0.3125, 0.6875, 0.9375, 1.0000, 1.0000])

    References:
        Chen, Lai, Liu, CVPR 2018, section 3.2.1.
    """
    size = whole_number(size, "`size`", least=1)
    if size % 2 == 0:
        raise ValueError(f"`size` must be an odd number of pixels, got {size}.")
    wide = max_pool2d(edges(image).to(image), size, 1, size // 2) > 0
    weights = torch.tensor(_BINOMIAL, dtype=image.dtype, device=image.device) / sum(_BINOMIAL)
    kernel = weights.outer(weights).expand(3, 1, -1, -1)
    blurred = conv2d(pad(image, [2] * 4, mode="reflect"), kernel, groups=3)
    return torch.where(wide, blurred, image)


def _is_largest(strength: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Whether the gradient is larger than both neighbours in its own direction."""
    height, width = strength.shape[2:]
    around = pad(strength, [1] * 4)

    def beside(down: int, right: int) -> Tensor:
        return around[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    # Of two that are alike along an axis, the first one stays.
    horizontal = (strength > beside(0, -1)) & (strength >= beside(0, 1))
    vertical = (strength > beside(-1, 0)) & (strength >= beside(1, 0))
    falling = (strength > beside(-1, -1)) & (strength > beside(1, 1))
    rising = (strength > beside(-1, 1)) & (strength > beside(1, -1))
    diagonal = torch.where(x * y < 0, rising, falling)
    across, upright = y.abs() < _SLOPE * x.abs(), x.abs() < _SLOPE * y.abs()
    largest: Tensor = torch.where(across, horizontal, torch.where(upright, vertical, diagonal))
    return largest
