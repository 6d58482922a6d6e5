from typing import NamedTuple

import torch
from torch import Tensor

from pystyle.functional import (
    RawMoments,
    covariance,
    gaussian_wasserstein_distance,
    raw_moments,
)
from pystyle.losses._loss import Loss


class _Gaussian(NamedTuple):
    mean: Tensor
    covariance: Tensor
    root: Tensor


class WassersteinLoss(Loss):
    """The squared Wasserstein-2 distance between Gaussians fitted to the features, per channel.

    It compares means and covariances like the Gram matrix does, but in the units of the features
    rather than of their squares, so that weak channels count too.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the second moment of the target.
        reference: The name of the image to compare with.

    Example:
        >>> WassersteinLoss(["relu1_1", "relu2_1"], layer_weights=[4, 1])
        WassersteinLoss(['relu1_1', 'relu2_1'], layer_weights=[4.0, 1.0])

    Note:
        Both covariances get 1e-4 of the target's mean variance on the diagonal. Katherine
        Crowson's implementation, which made this loss popular, adds the absolute 1e-4, which
        means something else for every encoder.

    References:
        Vincent Marron's unpublished note; the distance: Dowson, Landau 1982.
    """

    reference = "style"
    spatial = "pooled"

    def represent(self, features: Tensor) -> RawMoments:
        """The raw moments, which blend linearly."""
        return raw_moments(features)

    def prepare(self, representation: RawMoments) -> _Gaussian:
        """Mean, covariance and its root, which costs as much as a comparison."""
        matrix = covariance(representation)
        matrix = matrix + _ridge(matrix)
        return _Gaussian(representation.mean, matrix, _root(matrix))

    def compare(self, representation: RawMoments, target: _Gaussian) -> Tensor:
        """The distance to the target, averaged over channels and batch."""
        distance = gaussian_wasserstein_distance(
            representation.mean,
            covariance(representation) + _ridge(target.covariance),
            target.mean,
            target.covariance,
            target_root=target.root,
        )
        return distance.mean() / representation.mean.shape[1]


def _ridge(matrix: Tensor) -> Tensor:
    variance = matrix.diagonal(dim1=1, dim2=2).mean(1).clamp_min(1e-12)
    return torch.diag_embed(1e-4 * variance[:, None].expand(matrix.shape[:2]))


def _root(matrix: Tensor) -> Tensor:
    # Once per target, so exact: with fewer positions than channels most eigenvalues are rounding errors
    # around the ridge, and single precision makes the iteration of `matrix_square_root` diverge.
    values, vectors = torch.linalg.eigh(matrix.double().cpu())
    root: Tensor = (vectors * values.clamp_min(0).sqrt().unsqueeze(1)) @ vectors.mT
    return root.to(matrix)
