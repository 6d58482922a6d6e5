"""Haar wavelets in the place of poolings: half the size, four bands, and nothing is lost.

:func:`~pystyle.functional.wavelet_norm` has half of these filters at each position in place of every second:
four times as many numbers as are needed here.
"""

from typing import NamedTuple

import torch
from torch import Tensor

_SIGNS = (
    ((1.0, 1.0), (1.0, 1.0)),
    ((-1.0, 1.0), (-1.0, 1.0)),
    ((-1.0, -1.0), (1.0, 1.0)),
    ((1.0, -1.0), (-1.0, 1.0)),
)
"""Of the four positions that become one, for each band."""


class HaarBands(NamedTuple):
    r"""What :func:`haar_pooling` makes of 2 x 2 positions :math:`a, b` above :math:`c, d`.

    Attributes:
        low: The sum, :math:`(a + b + c + d) / 2`, called LL.
        across: The right ones less the left ones, :math:`(b + d - a - c) / 2`, called LH.
        down: The lower ones less the upper ones, :math:`(c + d - a - b) / 2`, called HL.
        diagonal: :math:`(a + d - b - c) / 2`, called HH.

    Shape:
        - each: (batch, channels, height / 2, width / 2)

    Example:
        >>> import torch
        >>> bands = haar_pooling(torch.rand(1, 8, 4, 6))
        >>> bands._replace(low=bands.low * 0).low.shape
        torch.Size([1, 8, 2, 3])
    """

    low: Tensor
    across: Tensor
    down: Tensor
    diagonal: Tensor


def haar_pooling(features: Tensor) -> HaarBands:
    """The bands of a Haar wavelet, in half the size.

    The squares of all bands add up to those of the features.

    Args:
        features: The features.

    Returns:
        Four bands.

    Raises:
        ValueError: If the height or the width is odd.

    Shape:
        - features: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> [float(band) for band in haar_pooling(torch.tensor([[[[1.0, 2.0], [5.0, 10.0]]]]))]
        [9.0, 3.0, 6.0, 2.0]

    References:
        Yoo et al. *Photorealistic style transfer via wavelet transforms*. ICCV 2019.
    """
    if features.ndim != 4 or features.shape[2] % 2 or features.shape[3] % 2:
        raise ValueError(
            "`features` must have the axes (batch, channels, height, width) with even sides, got the shape "
            f"{tuple(features.shape)}."
        )
    upper, lower = features[:, :, 0::2], features[:, :, 1::2]
    sums, differences = upper + lower, lower - upper
    (left, right), (left_up, right_up) = ((half[..., 0::2], half[..., 1::2]) for half in (sums, differences))
    return HaarBands(
        (left + right) / 2, (right - left) / 2, (left_up + right_up) / 2, (right_up - left_up) / 2
    )


def haar_unpooling(bands: HaarBands) -> Tensor:
    """The features of these bands: the inverse of :func:`haar_pooling`.

    Args:
        bands: The bands.

    Returns:
        The features, in twice the size.

    Shape:
        - output: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> features = torch.rand(1, 8, 4, 6)
        >>> torch.allclose(haar_unpooling(haar_pooling(features)), features, atol=1e-6)
        True

    References:
        Yoo et al. *Photorealistic style transfer via wavelet transforms*. ICCV 2019.
    """
    low, across, down, diagonal = bands
    sums = _alternating(low - across, low + across, 3)
    differences = _alternating(down - diagonal, down + diagonal, 3)
    return _alternating(sums - differences, sums + differences, 2) / 2


def haar_parts(bands: HaarBands) -> tuple[Tensor, ...]:
    """What each band alone makes of the features; their sum is :func:`haar_unpooling`.

    Args:
        bands: The bands.

    Returns:
        Four maps, in twice the size.

    Shape:
        - output: four times (batch, channels, height, width)

    Example:
        >>> import torch
        >>> bands = haar_pooling(torch.rand(1, 8, 4, 6))
        >>> torch.allclose(sum(haar_parts(bands)), haar_unpooling(bands), atol=1e-6)
        True

    References:
        Yoo et al. *Photorealistic style transfer via wavelet transforms*. ICCV 2019.
    """
    return tuple(_spread(band, signs) for band, signs in zip(bands, _SIGNS, strict=True))


def _alternating(first: Tensor, second: Tensor, axis: int) -> Tensor:
    """Rows or columns of both, one after the other."""
    return torch.stack([first, second], axis + 1).flatten(axis, axis + 1)


def _spread(band: Tensor, signs: tuple[tuple[float, float], tuple[float, float]]) -> Tensor:
    """Each value at four positions, with their signs."""
    upper, lower = (_alternating(left * band / 2, right * band / 2, 3) for left, right in signs)
    return _alternating(upper, lower, 2)
