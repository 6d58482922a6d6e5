import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32


def total_variation(image: Tensor, *, exponent: float = 2.0) -> Tensor:
    r"""The total variation of an image: how much neighbouring pixels differ.

    .. math:: \operatorname{mean}_{y,x}
              \left( (I_{y,x+1} - I_{y,x})^2 + (I_{y+1,x} - I_{y,x})^2 \right)^{\beta/2}

    The last row and the last column have no neighbour and are dropped. It is a mean, so its
    weight keeps its meaning when the size of the image changes.

    Args:
        image: An image or any map.
        exponent: The β above: 1 is the isotropic total variation, 2 the mean squared gradient.

    Returns:
        A scalar; 0 for an image of a single row or column.

    Raises:
        ValueError: If `exponent` is not positive or `image` has fewer than two axes.

    Shape:
        - image: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> image = torch.tensor([[[[0.0, 3.0], [4.0, 0.0]]]])
        >>> total_variation(image), total_variation(image, exponent=1.0)
        (tensor(25.), tensor(5.))

    References:
        Mahendran, Vedaldi. *Understanding deep image representations by inverting them*. CVPR 2015,
        equation 6.
    """
    if exponent <= 0:
        raise ValueError(f"`exponent` must be positive, got {exponent}.")
    if image.ndim < 2:
        raise ValueError(f"`image` must have the axes (..., height, width), got {tuple(image.shape)}.")
    image = at_least_float32(image)
    corner = image[..., :-1, :-1]
    squared = (image[..., :-1, 1:] - corner).square() + (image[..., 1:, :-1] - corner).square()
    if exponent != 2:
        # A power below 2 has no finite gradient at 0; the smallest normal number stands in for it.
        tiny = torch.finfo(squared.dtype).tiny
        flat = squared <= tiny
        squared = squared.clamp_min(tiny).pow(exponent / 2).masked_fill(flat, 0)
    return squared.sum() / max(squared.numel(), 1)
