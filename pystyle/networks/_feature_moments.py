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


def feature_moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the covariance over all positions.

    Shape:
        - features: (batch, channels, height, width)
        - output: (batch, channels) and (batch, channels, channels)
    """
    with without_autocast(features):
        # With channels last, which is how encoders give them, this is no copy.
        rows = at_least_float32(features).permute(0, 2, 3, 1).flatten(1, 2)
        mean = rows.mean(1, keepdim=True)
        second = rows.mT @ rows / rows.shape[1]
        return mean[:, 0], second - mean.mT @ mean


class FeatureMap(NamedTuple):
    """A linear map of features.

    Shape:
        - matrix: (batch, channels, channels that come in)
        - shift: (batch, channels)
    """

    matrix: Tensor
    shift: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """The matrix times the features at each position, plus the shift."""
        last = features.permute(0, 2, 3, 1)
        moved = torch.baddbmm(self.shift[:, None], last.flatten(1, 2), self.matrix.mT)
        return moved.view(*last.shape[:3], -1).permute(0, 3, 1, 2)


def map_to_covariance(features: Tensor, covariance: Tensor) -> FeatureMap:
    """The map that gives features this covariance, and a mean of zero.

    Shape:
        - features: (batch, channels, height, width)
        - covariance: (batch, channels, channels)
    """
    own_mean, own_covariance = feature_moments(features)
    with without_autocast(features):
        matrix = transport_map(own_covariance, covariance)
        return FeatureMap(matrix, -(matrix @ own_mean[:, :, None])[:, :, 0])


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
    return covariance + _FLOOR * mean * torch.eye(covariance.shape[-1]).to(covariance)
