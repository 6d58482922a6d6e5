import warnings
from typing import Any

import torch

from pystyle.functional import gaussian_wasserstein_distance
from pystyle.metrics._statistics import FeatureStatistics


def frechet_distance(statistics: FeatureStatistics, reference: FeatureStatistics) -> float:
    r"""The Fréchet distance of two sets of features, each taken to be Gaussian: less is nearer, 0 is equal.

    .. math:: \|\mu - \mu_r\|^2 + \operatorname{tr} \left( \Sigma + \Sigma_r
              - 2 \left( \Sigma_r^{1/2} \Sigma \Sigma_r^{1/2} \right)^{1/2} \right)

    With the pooled features of the Inception network of 2015 it is the FID. It is biased: the fewer vectors
    there are, the larger it is, so compare sets of the same number. What the network does not see, and what
    mean and covariance do not, does not count.

    Args:
        statistics: Of the pictures.
        reference: Of what they are compared with.

    Returns:
        The distance, computed in float64 by eigenvalues, which takes singular covariances as well.

    Raises:
        TypeError: If one is something else, such as the features themselves.
        ValueError: If the channels differ, or there are fewer than two vectors.

    Warns:
        UserWarning: If a set has no more vectors than channels, with both numbers.

    Example:
        >>> import torch
        >>> first, second = FeatureStatistics(), FeatureStatistics()
        >>> first.update(torch.tensor([[0.0], [1.0], [2.0]]))       # mean 1, variance 1
        >>> second.update(torch.tensor([[1.0], [4.0], [7.0]]))      # mean 4, variance 9
        >>> frechet_distance(first, second)                         # 3² + (3 - 1)²
        13.0

    References:
        Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, *GANs Trained by a Two Time-Scale Update Rule
        Converge to a Local Nash Equilibrium*, NeurIPS 2017, equation 6. Its bias: Bińkowski et al., ICLR
        2018.
    """
    for label, value in (("`statistics`", statistics), ("`reference`", reference)):
        _check_statistics(value, label)
    channels = len(statistics.mean), len(reference.mean)
    if channels[0] != channels[1]:
        raise ValueError(
            f"`reference` must have the channels of `statistics`, got {channels[1]} for {channels[0]}."
        )
    own, other = statistics.covariance.cpu(), reference.covariance.cpu()
    for name, one in (("statistics", statistics), ("reference", reference)):
        if one.count <= channels[0]:
            warnings.warn(
                f"`{name}` has {one.count} vectors of {channels[0]} channels: its covariance is singular, "
                "and the distance says more of the number of vectors than of what they show.",
                stacklevel=2,
            )
    values, vectors = torch.linalg.eigh(other)
    root = vectors * values.clamp_min(0).sqrt()
    means = statistics.mean.cpu(), reference.mean.cpu()
    return float(gaussian_wasserstein_distance(means[0], own, means[1], other, target_root=root))


def _check_statistics(value: Any, label: str) -> None:
    if not isinstance(value, FeatureStatistics):
        raise TypeError(
            f"{label} must be a FeatureStatistics, got a {type(value).__name__}. Give it the features: "
            "`statistics = FeatureStatistics()`, then `statistics.update(features)`."
        )
