from typing import NamedTuple

import torch
from torch import Tensor

from pystyle.functional import (
    RawMoments,
    covariance,
    gaussian_wasserstein_distance,
    raw_moments,
)
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.losses._moments import moments_within


class _Gaussian(NamedTuple):
    mean: Tensor
    covariance: Tensor
    root: Tensor
    ridge: Tensor
    rank: Tensor


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
        The covariance of the image gets 1e-4 of the target's mean variance on the diagonal, and that
        of the target as much in the directions in which it varies at all: a painting of 8 by 11
        positions varies in 88 of 512. Katherine Crowson's implementation, which made this loss
        popular, adds the absolute 1e-4 to both, which means something else for every encoder.

    References:
        Vincent Marron's unpublished note; the distance: Dowson, Landau 1982.
    """

    reference = "style"
    spatial = "pooled"
    shift_invariant = True

    def represent(self, features: Tensor) -> RawMoments:
        """The raw moments, which blend linearly."""
        return raw_moments(features)

    def represent_within(self, features: Tensor, mask: LayerMask) -> RawMoments:
        """The raw moments of the region."""
        return moments_within(features, mask)

    def prepare(self, representation: RawMoments) -> _Gaussian:
        """Mean, covariance and its root, which costs as much as a comparison."""
        matrix = covariance(representation)
        ridge = 1e-4 * matrix.diagonal(dim1=1, dim2=2).mean(1).clamp_min(1e-12)
        exact_ridge = ridge.cpu().double()[:, None]
        # Once per target, so exact: with fewer positions than channels most eigenvalues are rounding errors.
        values, vectors = torch.linalg.eigh(matrix.cpu().double())
        ranks = (values > 0.1 * exact_ridge).sum(1).clamp_min(1)
        columns = int(ranks.max())
        values = values[:, -columns:].clamp_min(0) + exact_ridge
        # Images of a smaller rank than others of the batch have columns of zeros.
        values = values * (torch.arange(columns, device=values.device) >= columns - ranks[:, None])
        root = vectors[:, :, -columns:] * values.sqrt().unsqueeze(1)
        return _Gaussian(
            representation.mean, (root @ root.mT).to(matrix), root.to(matrix), ridge, ranks.to(ridge)
        )

    def compare(self, representation: RawMoments, target: _Gaussian) -> Tensor:
        """The distance to the target, averaged over channels and batch."""
        channels = target.root.shape[1]
        identity = torch.eye(channels, dtype=target.ridge.dtype, device=target.ridge.device)
        distance = gaussian_wasserstein_distance(
            representation.mean,
            covariance(representation) + target.ridge[:, None, None] * identity,
            target.mean,
            target.covariance,
            target_root=target.root,
        )
        # The ridge counts in the directions of the target only: equal moments have no distance.
        return (distance - (channels - target.rank) * target.ridge).mean() / channels
