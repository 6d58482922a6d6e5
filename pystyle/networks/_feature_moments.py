"""Mean and covariance of features, and the linear map that gives them to others."""

from typing import NamedTuple

import torch
from torch import Tensor

from pystyle.colors._statistics import linear_map
from pystyle.functional._precision import at_least_float32, without_autocast

_FLOOR = 1e-3
"""What is added to all variances, as a share of their mean. A content that is flat varies in few directions;
in the others there is nothing but rounding, which nobody wants enlarged."""
_SMALLEST = 1e-3
"""The smallest mean that this is a share of, for images of one colour. Features vary by about 1."""


_SMALLEST_VARIANCE = 1e-8
"""A root has no gradient at 0."""
_POSITIONS = 2**16
"""How many positions are converted at once from half precision."""


class Moments(NamedTuple):
    """Mean and covariance of features over all positions.

    Shape:
        - mean: (batch, channels)
        - covariance: (batch, channels, channels)
    """

    mean: Tensor
    covariance: Tensor


class MomentSums:
    """What the moments of a map are made of, which may come in parts."""

    def __init__(self) -> None:
        self._count = 0
        self._first, self._second = (torch.zeros((), device="cpu") for _ in range(2))

    def add(self, features: Tensor) -> None:
        """A part of the map, of shape (batch, channels, height, width)."""
        with without_autocast(features):
            rows = _rows(features)
            # An exported graph cannot say how many parts there are, and sums of float32 may be coarse there.
            exported = torch.compiler.is_exporting()
            parts = [rows.double()] if exported else torch.split(rows, _POSITIONS, 1)
            for part in parts:
                rows = at_least_float32(part)
                self._count += rows.shape[1]
                self._first = self._first + rows.sum(1)
                self._second = self._second + rows.mT @ rows

    def moments(self) -> Moments:
        """Those of all parts."""
        mean, second = self._first / self._count, self._second / self._count
        covariance = second - mean[:, :, None] * mean[:, None]
        if torch.compiler.is_exporting():
            return Moments(mean.float(), covariance.float())
        return Moments(mean, covariance)


def feature_moments(features: Tensor) -> Moments:
    """The moments of a map, of shape (batch, channels, height, width)."""
    sums = MomentSums()
    sums.add(features)
    return sums.moments()


class FeatureMap(NamedTuple):
    """A linear map of features and of noise.

    Shape:
        - matrix: (batch, channels, channels)
        - noise: (batch, channels, channels of noise)
        - shift: (batch, channels)
    """

    matrix: Tensor
    noise: Tensor
    shift: Tensor

    def __call__(self, features: Tensor, noise: Tensor) -> Tensor:
        """The matrices times the features and the noise at each position, plus the shift."""
        moved = torch.baddbmm(self.shift[:, None], _rows(noise), self.noise.mT)
        moved.baddbmm_(_rows(features).to(moved), self.matrix.mT.to(moved))
        batch, _, height, width = features.shape
        return moved.view(batch, height, width, -1).permute(0, 3, 1, 2)


def _rows(features: Tensor) -> Tensor:
    """A row of channels for each position. With channels last, which is how encoders give them, no copy."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def map_to_covariance(own: Moments, covariance: Tensor, mixture: Tensor) -> FeatureMap:
    """The map that gives features this covariance, a mean of zero, and noise, the more, the more they vary.

    Args:
        own: Those of the features.
        covariance: What they are to have.
        mixture: How much noise there is in a channel, as a share of its deviation.

    Shape:
        - covariance: (batch, channels, channels)
        - mixture: (channels, channels of noise)
    """
    with without_autocast(covariance):
        matrix = transport_map(own.covariance, covariance)
        noise = (mixture * deviation(covariance)[:, :, None]).expand(matrix.shape[0], -1, -1)
        shift = -(matrix @ own.mean[:, :, None])[:, :, 0]
        # Moments are not in half precision where the network is.
        return FeatureMap(matrix.to(mixture), noise.to(mixture), shift.to(mixture))


def deviation(covariance: Tensor) -> Tensor:
    """How much each channel varies."""
    return covariance.diagonal(dim1=1, dim2=2).clamp(min=_SMALLEST_VARIANCE).sqrt()


def transport_map(covariance: Tensor, target: Tensor) -> Tensor:
    r"""The symmetric matrix A with :math:`A \Sigma A = \Sigma_t`, which moves features the least.

    Example:
        >>> import torch
        >>> narrow, wide = torch.eye(2)[None], torch.diag(torch.tensor([4.0, 9.0]))[None]
        >>> transport_map(narrow, wide).round(decimals=1)
        tensor([[[2., 0.],
                 [0., 3.]]])

    Shape:
        - covariance, target, output: (batch, channels, channels)

    Note:
        It is that of colours, with a floor for both covariances, and a constant for gradients.
    """
    return linear_map(_floored(covariance), _floored(target), "symmetric")


def _floored(covariance: Tensor) -> Tensor:
    mean = covariance.diagonal(dim1=-2, dim2=-1).mean(-1).clamp(min=_SMALLEST)[..., None, None]
    one = torch.eye(covariance.shape[-1], dtype=covariance.dtype, device=covariance.device)
    return covariance + _FLOOR * mean * one
