from typing import NamedTuple

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.functional._gram import flat_positions, positions, self_product
from pystyle.functional._precision import at_least_float32


class RawMoments(NamedTuple):
    """The first two raw moments of the channels of a feature map.

    Raw moments are means over positions. So the moments of a whole image are the mean of the
    moments of its tiles (weighted by their areas), and the moments of a blend of styles are the
    weighted mean of the moments of each. Neither is true of standard deviations or covariances,
    which is why these are derived last.

    Shape:
        - mean: (batch, channels)
        - second: (batch, channels, channels)

    Example:
        >>> import torch
        >>> raw_moments(torch.tensor([[[[1.0, 3.0]]]]))
        RawMoments(mean=tensor([[2.]]), second=tensor([[[5.]]]))
    """

    mean: Tensor
    second: Tensor


def raw_moments(features: Tensor, weights: Tensor | None = None) -> RawMoments:
    r"""The mean of the features and of their outer products over the positions.

    .. math:: \mu = \sum_p w_p f_p \qquad M = \sum_p w_p f_p f_p^\top \qquad \sum_p w_p = 1

    Args:
        features: One feature map per image.
        weights: How much each position counts; equal if not given. They are divided by their sum,
            so that a texture has the same moments in a small region as in a large one.

    Returns:
        Both moments in float32 at least.

    Raises:
        ValueError: If `features` has no position axis, or `weights` does not fit it.

    Shape:
        - features: (batch, channels, height, width)
        - weights: (batch or 1, 1, height, width), not negative

    Example:
        >>> import torch
        >>> features = torch.tensor([[[[1.0, 3.0, 100.0]]]])
        >>> raw_moments(features, torch.tensor([[[[1.0, 1.0, 0.0]]]])).mean
        tensor([[2.]])

    Note:
        Weights that are all zero (an empty region) give moments of zero.
        A variance of raw moments loses as many digits as the square of the mean is larger. Subtract a
        constant from features that lie far from zero, as a criterion does for losses that are
        ``shift_invariant``.
    """
    if weights is None:
        count = max(features.shape[2:].numel(), 1)
        return RawMoments(channel_means(features), self_product(flat_positions(features), 1.0 / count))
    vectors = positions(features)
    if weights.shape not in [(batch, 1, *features.shape[2:]) for batch in (1, features.shape[0])]:
        raise ValueError(
            "`weights` must have the shape (batch, 1, height, width) of the features, "
            f"got {tuple(weights.shape)} for features of shape {tuple(features.shape)}."
        )
    weight = positions(weights)
    weight = weight / weight.sum(2, keepdim=True).clamp_min(1e-12)
    return RawMoments((vectors * weight).sum(2), self_product(vectors * weight.sqrt(), 1.0))


def channel_means(features: Tensor) -> Tensor:
    """The mean of each channel, without the products that :func:`raw_moments` computes.

    Args:
        features: One feature map per image.

    Returns:
        The means in float32 at least; 0 if there are no positions.

    Raises:
        ValueError: If `features` has no position axis.

    Shape:
        - features: (batch, channels, height, width), or any number of position axes
        - output: (batch, channels)

    Example:
        >>> import torch
        >>> channel_means(torch.tensor([[[[1.0, 3.0]]]]))
        tensor([[2.]])
    """
    vectors = flat_positions(features)
    return vectors.sum(2, dtype=torch.promote_types(vectors.dtype, torch.float32)) / max(vectors.shape[2], 1)


def channel_mean_std(features: Tensor, *, eps: float = 0.0, correction: int = 0) -> Tensor:
    """The mean and the standard deviation of each channel, without the products of :func:`raw_moments`.

    Args:
        features: One feature map per image.
        eps: Added to the variance. Without it the gradient of a flat channel is infinite.
        correction: The variance is divided by so many positions less than there are: 0 for the biased one,
            1 for the unbiased one.

    Returns:
        One row for the means and one for the standard deviations, in float32 at least.

    Raises:
        ValueError: If the features have no positions.

    Shape:
        - features: (batch, channels, height, width), or any number of position axes
        - output: (batch, 2, channels)

    Example:
        >>> import torch
        >>> channel_mean_std(torch.tensor([[[[1.0, 3.0]]]]))
        tensor([[[2.],
                 [1.]]])
    """
    vectors = at_least_float32(flat_positions(features))
    if not vectors.shape[2]:
        raise ValueError(f"`features` must have positions, got the shape {tuple(features.shape)}.")
    variance, mean = torch.var_mean(vectors, 2, correction=correction)
    return torch.stack((mean, (variance + number(eps, "`eps`", least=0)).sqrt()), 1)


def covariance(moments: RawMoments) -> Tensor:
    """The covariance matrix of the channels (divided by the number of positions, not one less).

    Args:
        moments: What :func:`raw_moments` returns.

    Returns:
        A symmetric matrix per image.

    Shape:
        - output: (batch, channels, channels)

    Example:
        >>> import torch
        >>> covariance(raw_moments(torch.tensor([[[[1.0, 3.0]]]])))
        tensor([[[1.]]])
    """
    mean, second = moments
    return second - mean.unsqueeze(2) * mean.unsqueeze(1)


def mean_std(moments: RawMoments, *, eps: float = 1e-6) -> Tensor:
    """The mean and the standard deviation of each channel, side by side.

    Args:
        moments: What :func:`raw_moments` returns.
        eps: Added to the variance, so that the gradient of the root stays finite on a flat image.

    Returns:
        One row for the means and one for the standard deviations.

    Shape:
        - output: (batch, 2, channels)

    Example:
        >>> import torch
        >>> mean_std(raw_moments(torch.tensor([[[[1.0, 3.0]]]])))
        tensor([[[2.0000],
                 [1.0000]]])
    """
    mean, second = moments
    eps = number(eps, "`eps`", least=0)
    variance = second.diagonal(dim1=1, dim2=2) - mean.square()
    return torch.stack((mean, (variance.clamp_min(0) + eps).sqrt()), dim=1)
