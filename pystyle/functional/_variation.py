from types import EllipsisType
from typing import Literal, TypeAlias, get_args

from torch import Tensor
from torch.nn.functional import pad

from pystyle._arguments import number
from pystyle._wrapping import axes_of, checked_wrap
from pystyle.functional._powers import mean_power
from pystyle.functional._precision import at_least_float32
from pystyle.typing import Wrap

Variant: TypeAlias = Literal["isotropic", "anisotropic", "nine_point"]

_Part: TypeAlias = tuple[EllipsisType | slice, ...]


def total_variation(
    image: Tensor,
    *,
    exponent: float = 2.0,
    variant: Variant = "isotropic",
    mask: Tensor | None = None,
    wrap: Wrap | None = None,
) -> Tensor:
    r"""The total variation of an image: how much neighbouring pixels differ.

    With the differences r, d, e and f of a pixel to those on its right, below, and at its lower right and
    left, and means :math:`\langle\cdot\rangle` over the positions, it is

    .. math::
        \text{isotropic:} &\quad \langle (r^2 + d^2)^{\beta/2} \rangle \\
        \text{anisotropic:} &\quad \langle |r|^\beta \rangle + \langle |d|^\beta \rangle \\
        \text{nine-point:} &\quad \tfrac{2}{3} ( \langle |r|^\beta \rangle + \langle |d|^\beta \rangle )
            + \tfrac{1}{6} ( \langle |e|^\beta \rangle + \langle |f|^\beta \rangle )

    A ramp of slope 1 along an axis has 1 in all three, borders aside. Being means, they keep the meaning of
    their weight when the size of the image changes.

    Args:
        image: An image or any map.
        exponent: The β above: 1 for the total variation proper, 2 for the mean squared gradient.
        variant: ``"isotropic"`` takes the length of the gradient; ``"anisotropic"`` with `exponent` 1 is
            the mean absolute difference, which prefers edges along the axes; ``"nine_point"`` looks at
            all eight neighbours of a pixel and depends least on the direction of fine detail.
        mask: Where it is measured, from 0 outside to 1 inside: the weight of each difference is the product
            of the mask at the pixels that it is made of.
        wrap: The sides beyond which the image goes on with its other side: ``"both"``, ``"horizontal"`` or
            None. The last pixel is a neighbour of the first there, and nothing is dropped or continued.

    Returns:
        A scalar.

    Raises:
        ValueError: If `exponent` is not positive, `variant` or `wrap` is unknown, `image` has fewer than two
            axes, or `mask` does not fit it.

    Shape:
        - image: (batch, channels, height, width)
        - mask: (1, 1, height, width)

    Example:
        >>> import torch
        >>> image = torch.tensor([[[[0.0, 3.0], [4.0, 0.0]]]])
        >>> total_variation(image), total_variation(image, exponent=1.0)
        (tensor(25.), tensor(5.))
        >>> total_variation(image, exponent=1.0, variant="anisotropic")   # (3 + 4) / 2 + (4 + 3) / 2
        tensor(7.)

    Note:
        The isotropic variant drops the last row and the last column, which have no neighbour. The
        nine-point variant continues the image by its outermost pixels, as its author's does.

    References:
        Mahendran, Vedaldi. *Understanding deep image representations by inverting them*. CVPR 2015,
        equation 6 (isotropic). The nine-point variant: Katherine Crowson's style-transfer-pytorch, 2022,
        with β = 2.
    """
    exponent = number(exponent, "`exponent`", above=0)
    if variant not in get_args(Variant):
        raise ValueError(f"`variant` must be one of {get_args(Variant)}, got {variant!r}.")
    if image.ndim < 2:
        raise ValueError(f"`image` must have the axes (..., height, width), got {tuple(image.shape)}.")
    image = at_least_float32(image)
    if mask is not None and mask.shape != (1, 1, *image.shape[-2:]):
        raise ValueError(
            "`mask` must have the shape (1, 1, height, width) of the image, "
            f"got {tuple(mask.shape)} for an image of shape {tuple(image.shape)}."
        )
    if checked_wrap(wrap) is not None:
        return _wrapped_variation(image, mask, exponent, variant, wrap)
    return _variation(image, mask, exponent, variant)


def _variation(image: Tensor, mask: Tensor | None, exponent: float, variant: Variant) -> Tensor:
    if variant == "isotropic":
        corner = image[..., :-1, :-1]
        squared = (image[..., :-1, 1:] - corner).square() + (image[..., 1:, :-1] - corner).square()
        inside = None if mask is None else mask[..., :-1, :-1] * mask[..., :-1, 1:] * mask[..., 1:, :-1]
        return mean_power(squared, exponent, inside)
    if variant == "nine_point":
        image = pad(image.reshape(-1, 1, *image.shape[-2:]), (1, 1, 1, 1), mode="replicate")
        mask = None if mask is None else pad(mask, (1, 1, 1, 1), mode="replicate")

    def mean_difference(first: _Part, second: _Part) -> Tensor:
        inside = None if mask is None else mask[first] * mask[second]
        return mean_power((image[second] - image[first]).square(), exponent, inside)

    across = mean_difference((..., slice(-1)), (..., slice(1, None)))
    down = mean_difference((..., slice(-1), slice(None)), (..., slice(1, None), slice(None)))
    if variant == "anisotropic":
        return across + down
    falling = mean_difference((..., slice(-1), slice(-1)), (..., slice(1, None), slice(1, None)))
    rising = mean_difference((..., slice(-1), slice(1, None)), (..., slice(1, None), slice(-1)))
    return (across + down) * 2 / 3 + (falling + rising) / 6


def _wrapped_variation(
    image: Tensor, mask: Tensor | None, exponent: float, variant: Variant, wrap: Wrap | None
) -> Tensor:
    image = image.reshape(-1, 1, *image.shape[-2:])
    if variant == "nine_point" and wrap == "horizontal":
        image = pad(image, (0, 0, 1, 1), mode="replicate")
        mask = None if mask is None else pad(mask, (0, 0, 1, 1), mode="replicate")

    def differences(down: int, right: int) -> tuple[Tensor, Tensor | None]:
        """To the pixels so far away, squared, and how much they count."""
        one, other = _neighbors(image, down, right, wrap)
        counts = None
        if mask is not None:
            near, far = _neighbors(mask, down, right, wrap)
            counts = near * far
        return (other - one).square(), counts

    across, down = differences(0, 1), differences(1, 0)
    if variant == "isotropic":
        rows = down[0].shape[2]  # Where only columns wrap, the last row has no neighbour.
        inside = None
        if across[1] is not None and down[1] is not None:
            inside = across[1][:, :, :rows] * down[1]
        return mean_power(across[0][:, :, :rows] + down[0], exponent, inside)
    straight = mean_power(across[0], exponent, across[1]) + mean_power(down[0], exponent, down[1])
    if variant == "anisotropic":
        return straight
    falling, rising = differences(1, 1), differences(1, -1)
    diagonal = mean_power(falling[0], exponent, falling[1]) + mean_power(rising[0], exponent, rising[1])
    return straight * 2 / 3 + diagonal / 6


def _neighbors(maps: Tensor, down: int, right: int, wrap: Wrap | None) -> tuple[Tensor, Tensor]:
    """The maps, and what lies so far below and to the right of each pixel, or across the border."""
    far = maps.roll(-right, 3)
    if 2 in axes_of(wrap):
        return maps, far.roll(-down, 2)
    rows = maps.shape[2] - down
    return maps[:, :, :rows], far[:, :, down:]
