from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from torch import Tensor

from pystyle._arguments import explained_allocations
from pystyle.colors._histogram import with_histogram
from pystyle.colors._linear import linear_to_rgb, rgb_to_linear
from pystyle.colors._luma import rgb_to_yiq, yiq_to_rgb
from pystyle.colors._oklab import oklab_to_rgb, rgb_to_oklab
from pystyle.colors._pixels import check_batches, check_mask, check_picture, transformed
from pystyle.colors._statistics import (
    LinearMethod,
    color_statistics,
    linear_map,
    principal_axes,
)

Method: TypeAlias = Literal["symmetric", "cholesky", "pca", "histogram"]
Space: TypeAlias = Literal["rgb", "linear_rgb", "yiq", "oklab", "principal"]

_SPACES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "linear_rgb": (rgb_to_linear, linear_to_rgb),
    "yiq": (rgb_to_yiq, yiq_to_rgb),
    "oklab": (rgb_to_oklab, oklab_to_rgb),
}


@explained_allocations("Matching colours")
def match_colors(
    image: Tensor,
    reference: Tensor,
    *,
    mask: Tensor | None = None,
    reference_mask: Tensor | None = None,
    method: Method = "symmetric",
    space: Space = "rgb",
    clamp: bool = True,
) -> Tensor:
    r"""The image in the colours of another one.

    The linear methods map every colour c of the image to

    .. math:: A (c - \mu) + \mu_r \qquad A \Sigma A^\top = \Sigma_r

    so that mean and covariance become those of the reference. There are many such A.

    Args:
        image: What gets other colours.
        reference: Whose colours: one image, or one for each of the batch. Its size does not matter.
        mask: How much each pixel of `image` counts for its mean and covariance; all the same if not given.
            The map that results is applied to all pixels.
        reference_mask: How much each pixel of `reference` counts.
        method: ``"symmetric"`` moves the colours by the least mean squared distance
            (:math:`A = \Sigma^{-1/2} (\Sigma^{1/2} \Sigma_r \Sigma^{1/2})^{1/2} \Sigma^{-1/2}`).
            ``"pca"`` is the :math:`\Sigma_r^{1/2} \Sigma^{-1/2}` and ``"cholesky"`` the
            :math:`L_r L^{-1}` of Gatys et al.; the latter depends on the order of the channels.
            ``"histogram"`` starts with ``"symmetric"`` and then gives each axis of `space` the whole
            distribution that the reference has there.
        space: Where it happens: ``"rgb"``, ``"linear_rgb"``, ``"yiq"``, ``"oklab"``, or
            ``"principal"``, the axes in RGB along which the colours of the reference are uncorrelated.
        clamp: Whether the result is brought back to [0, 1]. Where it has to be, mean and covariance are
            no longer exactly those of the reference.

    Returns:
        An image of the size and type of `image`.

    Raises:
        TypeError: If an image is not a floating tensor.
        ValueError: If an image or a mask has another shape or range or is not finite, a mask is nowhere above
            0, an argument is unknown, or ``"histogram"`` is given masks.

    Shape:
        - image, output: (batch, 3, height, width), RGB in [0, 1]
        - reference: (batch or 1, 3, any height, any width), RGB in [0, 1]
        - mask, reference_mask: (1, 1, height, width) of their image, in [0, 1]

    Example:
        >>> import torch
        >>> generator = torch.Generator().manual_seed(0)
        >>> photo, painting = (torch.rand(1, 3, 8, 8, generator=generator) for _ in range(2))
        >>> matched = match_colors(photo, 0.5 * painting, clamp=False)
        >>> torch.allclose(matched.mean((2, 3)), 0.5 * painting.mean((2, 3)), atol=1e-6)
        True

    Note:
        A direction in which the colours of the image vary by less than a standard deviation of 1/255 (all
        of a flat image, those off the diagonal of a grey one) is treated as if they varied by that: what is
        not there cannot be stretched, and rounding errors should not be. Gatys et al. add 1e-5 to all
        variances instead, which dulls every result a little.

        Gradients pass through the linear map, which itself counts as a constant. Those of
        ``"histogram"`` are zero.

    References:
        Gatys, Ecker, Bethge, Hertzmann, Shechtman. *Controlling perceptual factors in neural style
        transfer*. CVPR 2017, section 5 (pca, cholesky). Pitié, Kokaram. *The linear
        Monge-Kantorovitch linear colour mapping for example-based colour transfer*. CVMP 2007.
    """
    if method not in get_args(Method):
        raise ValueError(f"`method` must be one of {get_args(Method)}, got {method!r}.")
    if space not in get_args(Space):
        raise ValueError(f"`space` must be one of {get_args(Space)}, got {space!r}.")
    if method == "histogram" and not (mask is None and reference_mask is None):
        raise ValueError("`method` must be a linear one if there are masks, got 'histogram'.")
    pixels, wanted = check_picture(image), check_picture(reference, "reference").to(image.device)
    check_batches(image, "reference", reference)
    weights = check_mask(mask, "mask", pixels), check_mask(reference_mask, "reference_mask", wanted)
    forward, backward = (
        _axes(wanted, weights[1]) if space == "principal" else _SPACES.get(space, (_same, _same))
    )
    matched = backward(_matched(forward(pixels), forward(wanted), weights, method))
    return (matched.clamp(0, 1) if clamp else matched).to(image.dtype)


def _matched(
    pixels: Tensor, wanted: Tensor, weights: tuple[Tensor | None, Tensor | None], method: Method
) -> Tensor:
    linear: LinearMethod = "symmetric" if method == "histogram" else method
    moved = with_statistics(pixels, wanted, linear, *weights)
    if method != "histogram":
        return moved
    return with_histogram(moved, wanted.to(moved).expand(len(moved), -1, -1, -1))


def with_statistics(
    pixels: Tensor,
    wanted: Tensor,
    method: LinearMethod,
    mask: Tensor | None = None,
    wanted_mask: Tensor | None = None,
) -> Tensor:
    """The pixels, of any channels, with the mean and covariance of others; masks say how much each counts."""
    mean, covariance = color_statistics(pixels, mask)
    wanted_mean, wanted_covariance = color_statistics(wanted, wanted_mask)
    matrix = linear_map(covariance, wanted_covariance, method)
    return transformed(matrix, pixels - mean.detach()) + wanted_mean.detach().to(pixels)


def _axes(
    wanted: Tensor, mask: Tensor | None
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    _, covariance = color_statistics(wanted, mask)
    axes = principal_axes(covariance)
    return lambda image: transformed(axes, image), lambda image: transformed(axes.mT, image)


def _same(image: Tensor) -> Tensor:
    return image
