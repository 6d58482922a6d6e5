import warnings

import torch

from pystyle._arguments import number
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
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.mT
    overlap = torch.linalg.eigvalsh(root @ own @ root).clamp_min(0).sqrt().sum()
    apart = (statistics.mean.cpu() - reference.mean.cpu()).square().sum()
    return float(apart + own.trace() + other.trace() - 2 * overlap)


def art_fid(lpips: float, frechet: float) -> float:
    """ArtFID, one number for content and style: less is better, 1 is the least.

    The product of 1 + LPIPS to the contents and 1 + the Fréchet distance to the styles, both means over all
    pictures. A method can trade the one for the other: look at both.

    Args:
        lpips: The mean LPIPS of the pictures to their contents, by AlexNet.
        frechet: The Fréchet distance of the pictures to the paintings.

    Raises:
        ValueError: If one is negative.

    Example:
        >>> art_fid(0.5055, 18.131)         # as Chung et al., CVPR 2024, print it for their method
        28.8017...

    Note:
        Published figures are made with an Inception network that was trained on paintings, and not with that
        of the FID.

    References:
        Wright and Ommer, *ArtFID: Quantitative Evaluation of Neural Style Transfer*, GCPR 2022.
    """
    return (1 + number(lpips, "`lpips`", least=0)) * (1 + number(frechet, "`frechet`", least=0))
