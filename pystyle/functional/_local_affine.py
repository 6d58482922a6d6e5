"""Local affine maps of colours, smoothed along the edges of an image."""

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from pystyle._arguments import number, whole_number
from pystyle.functional._precision import at_least_float32, without_autocast


def smoothed_local_affine(
    image: Tensor,
    guide: Tensor,
    *,
    radius: int = 1,
    ridge: float = 1e-3,
    smoothing_radius: int = 15,
    distance_deviation: float | None = None,
    color_deviation: float = 0.01,
) -> Tensor:
    r"""The guide under local affine maps of its colours that make it most like an image.

    In the window around each pixel p an affine map is fitted, and the maps are averaged over pixels of
    similar colour:

    .. math:: A_p = \arg\min_A \sum_{q \in W_p} \left\| A \binom{g_q}{1} - x_q \right\|^2
                    + \varepsilon \|A_{1..3}\|^2 \qquad
              \bar A_p \propto \sum_q e^{-|p - q|^2 / 2 \sigma_s^2 - |g_p - g_q|^2 / 6 \sigma_c^2} A_q \qquad
              y_p = \bar A_p \binom{g_p}{1}

    So the result has the edges of the guide, and the colours of the image but for what is no local affine
    map.

    Args:
        image: Whose colours are wanted, such as a stylised photograph.
        guide: Whose edges are wanted: the photograph.
        radius: Of the windows in which maps are fitted; 1 for 3 x 3 pixels.
        ridge: Keeps the linear part of a map small where the colours of a window hardly differ.
        smoothing_radius: How far maps are averaged, in pixels; 0 for not at all.
        distance_deviation: :math:`\sigma_s` in pixels; a third of `smoothing_radius` if not given.
        color_deviation: :math:`\sigma_c`; the squared difference of colours is the mean over the channels.

    Returns:
        A new image, in float32 at least, that may leave [0, 1].

    Raises:
        ValueError: If the images have not the same shape of four axes, a radius is negative or a deviation or
            `ridge` not positive.

    Shape:
        - image, guide, output: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> guide = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> recoloured = 0.9 - 0.5 * guide.flip(1)          # an affine map of the colours
        >>> found = smoothed_local_affine(recoloured, guide, ridge=1e-9)
        >>> torch.allclose(found, recoloured, atol=1e-5)
        True

    References:
        The function ``SmoothLocalAffine`` of the program of Luan, Paris, Shechtman, Bala. *Deep photo style
        transfer*. CVPR 2017. It is not in the paper.
    """
    if image.ndim != 4 or image.shape != guide.shape:
        raise ValueError(
            "`image` and `guide` must have the same shape (batch, channels, height, width), got "
            f"{tuple(image.shape)} and {tuple(guide.shape)}."
        )
    radius = whole_number(radius, "`radius`", least=0)
    smoothing_radius = whole_number(smoothing_radius, "`smoothing_radius`", least=0)
    if distance_deviation is None:
        distance_deviation = max(smoothing_radius, 1) / 3
    distance_deviation = number(distance_deviation, "`distance_deviation`", above=0)
    color_deviation = number(color_deviation, "`color_deviation`", above=0)
    ridge = number(ridge, "`ridge`", above=0)
    image, guide = at_least_float32(image), at_least_float32(guide)
    with without_autocast(image):
        models = _local_maps(image, guide, radius, ridge)
        if smoothing_radius:
            models = _smoothed(models, guide, smoothing_radius, distance_deviation, color_deviation)
        # (batch, colours of the image, colours of the guide and 1, height, width)
        return (models * _with_one(guide)[:, None]).sum(2)


def _local_maps(image: Tensor, guide: Tensor, radius: int, ridge: float) -> Tensor:
    """The affine map of the window around each pixel; in float64, for the equations square the condition."""
    rows, wanted = _with_one(guide).double(), image.double()
    inputs = rows.shape[1]

    def window_sums(products: Tensor) -> Tensor:
        # Windows end at the border: zeros are added there.
        means = avg_pool2d(products.flatten(1, 2), 2 * radius + 1, stride=1, padding=radius)
        return (means * (2 * radius + 1) ** 2).reshape(products.shape)

    left = window_sums(rows[:, :, None] * rows[:, None]).permute(0, 3, 4, 1, 2)
    right = window_sums(rows[:, :, None] * wanted[:, None]).permute(0, 3, 4, 1, 2)
    diagonal = torch.full((inputs,), ridge, dtype=left.dtype, device=left.device)
    diagonal[-1] = 0  # the constant part is free
    models: Tensor = torch.linalg.solve(left + torch.diag(diagonal), right)
    return models.permute(0, 4, 3, 1, 2).to(image.dtype)


def _smoothed(
    models: Tensor, guide: Tensor, radius: int, distance_deviation: float, color_deviation: float
) -> Tensor:
    """The mean of the maps around each pixel, weighted by a joint bilateral kernel."""
    height, width = guide.shape[2:]
    sums, total = torch.zeros_like(models), torch.zeros_like(guide[:, :1])
    for down in range(-min(radius, height - 1), min(radius, height - 1) + 1):
        for right in range(-min(radius, width - 1), min(radius, width - 1) + 1):
            here = slice(max(-down, 0), height - max(down, 0)), slice(max(-right, 0), width - max(right, 0))
            there = slice(max(down, 0), height - max(-down, 0)), slice(max(right, 0), width - max(-right, 0))
            difference = guide[:, :, here[0], here[1]] - guide[:, :, there[0], there[1]]
            square = difference.square().mean(1, keepdim=True)
            near = math.exp(-(down**2 + right**2) / (2 * distance_deviation**2))
            weight = near * (-square / (2 * color_deviation**2)).exp()
            total[:, :, here[0], here[1]] += weight
            sums[:, :, :, here[0], here[1]] += weight[:, None] * models[:, :, :, there[0], there[1]]
    return sums / total[:, None]


def _with_one(guide: Tensor) -> Tensor:
    return torch.cat([guide, torch.ones_like(guide[:, :1])], dim=1)
