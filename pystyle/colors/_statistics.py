"""Mean and covariance of colours, and the linear maps that give a covariance to an image.

The matrices are small, so their linear algebra is done on the CPU in float64, whatever the image is.
"""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from pystyle.colors._iterated_map import iterated_map

LinearMethod: TypeAlias = Literal["symmetric", "cholesky", "pca"]

_SMALLEST_VARIANCE = (1 / 255) ** 2
"""That of one level of 8 bits. What varies less is rounding, which nobody wants amplified."""


def color_statistics(image: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The mean and the covariance of the channels over the pixels, each of which counts as much as the mask.

    Shape:
        - image: (batch, channels, height, width)
        - mask: (1, 1, height, width), somewhere above 0
        - output: (batch, channels, 1, 1) and (batch, channels, channels)
    """
    if torch.compiler.is_exporting() and image.dtype != torch.float64:
        # Other runtimes add up too coarsely for the covariance of an image with hardly any colours.
        mean, covariance = color_statistics(image.double(), mask)
        return mean.to(image), covariance.to(image)
    # The weights have the mean 1.
    weighted = image if mask is None else image * (mask / mask.mean())
    mean = weighted.mean((2, 3), keepdim=True)
    # After the mean is off: raw moments in single precision would lose the variance of a dull image.
    centred = image - mean
    weighted = centred if mask is None else centred * (mask / mask.mean())
    planes = range(image.shape[1])
    upper = {(i, j): (weighted[:, i] * centred[:, j]).mean((1, 2)) for i in planes for j in planes[i:]}
    rows = [torch.stack([upper[min(i, j), max(i, j)] for j in planes], 1) for i in planes]
    return mean, torch.stack(rows, 1)


@torch.no_grad()
def linear_map(covariance: Tensor, target: Tensor, method: LinearMethod) -> Tensor:
    r"""A matrix A with :math:`A \Sigma A^\top = \Sigma_t`.

    Of all solutions, ``"symmetric"`` moves colours the least; ``"cholesky"`` and ``"pca"`` undo one
    root and apply the other.

    Shape:
        - covariance, target, output: (batch, channels, channels)
    """
    if method == "symmetric" and torch.compiler.is_exporting():
        matrix = iterated_map(covariance.double(), target.double(), smallest=_SMALLEST_VARIANCE)
        return matrix.to(covariance)
    values, vectors = _decomposed(covariance, _SMALLEST_VARIANCE)
    if method == "cholesky":
        root = _lower_root(values, vectors)
        matrix = torch.linalg.solve_triangular(
            root, _lower_root(*_decomposed(target, 0.0)), upper=False, left=False
        )
    elif method == "pca":
        matrix = _power(*_decomposed(target, 0.0), 0.5) @ _power(values, vectors, -0.5)
    else:
        root, inverse = _power(values, vectors, 0.5), _power(values, vectors, -0.5)
        between = root @ target.detach().to(root) @ root
        matrix = inverse @ _power(*_decomposed(between, 0.0), 0.5) @ inverse
    return matrix.to(covariance)


def principal_axes(covariance: Tensor) -> Tensor:
    """The directions, as rows, in which the colours vary independently."""
    _, vectors = _decomposed(covariance, 0.0)
    return vectors.mT.to(covariance)


def _decomposed(covariance: Tensor, smallest: float) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(covariance.detach().cpu().double())
    return values.clamp_min(smallest), vectors


def _power(values: Tensor, vectors: Tensor, exponent: float) -> Tensor:
    return (vectors * values.unsqueeze(-2).pow(exponent)) @ vectors.mT


def _lower_root(values: Tensor, vectors: Tensor) -> Tensor:
    """The Cholesky factor. By a QR decomposition, which takes singular matrices (a grey image) as well."""
    upper = torch.linalg.qr(_power(values, vectors, 0.5)).R
    signs = torch.where(upper.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).to(upper)
    lower: Tensor = (signs.unsqueeze(-1) * upper).mT
    return lower
