"""Optimal transport along lines, where it is a matter of sorting."""

import torch
from torch import Tensor

from pystyle.functional._gram import positions
from pystyle.functional._precision import at_least_float32, without_autocast
from pystyle.functional._sets import position_sets


def sorted_projections(features: Tensor, directions: Tensor) -> Tensor:
    """The features of all positions projected on directions and sorted along each.

    Args:
        features: One feature map per image.
        directions: The directions, for all images or for each; they need not be of unit length.

    Returns:
        Ascending values, in float32 at least.

    Raises:
        ValueError: If `features` has no position axis or `directions` are of another dimension.

    Shape:
        - features: (batch, channels, height, width), or any number of position axes
        - directions: (directions, channels), or with the batch axis before
        - output: (batch, directions, positions)

    Example:
        >>> import torch
        >>> features = torch.tensor([[[3.0, 1.0, 2.0], [1.0, 5.0, 0.0]]])
        >>> sorted_projections(features, torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
        tensor([[[1., 2., 3.],
                 [2., 4., 6.]]])
    """
    vectors = positions(features)
    if directions.ndim not in (2, 3) or directions.shape[-1] != vectors.shape[1]:
        raise ValueError(
            "`directions` must have the shape (directions, channels) for features of "
            f"{vectors.shape[1]} channels, got {tuple(directions.shape)}."
        )
    with without_autocast(vectors):
        return (directions.to(vectors) @ vectors).sort(dim=2).values


def quantile_distance(values: Tensor, target: Tensor) -> Tensor:
    r"""The squared Wasserstein-2 distance of sets of numbers: that of their quantile functions.

    .. math:: \int_0^1 \left( F^{-1}(t) - G^{-1}(t) \right)^2 dt

    Sets of different sizes are compared exactly. Both quantile functions are steps, and the
    integral splits into the distance of each of `values` to the mean of the targets that it
    meets, and the spread of these around their mean, which does not depend on `values`.

    Args:
        values: Ascending along the last axis.
        target: Ascending along the last axis, whose length may differ.

    Returns:
        The distances, in float32 at least.

    Raises:
        ValueError: If the shapes differ before the last axis or a set is empty.

    Shape:
        - values: (..., count)
        - target: (..., target_count)
        - output: (...)

    Example:
        >>> import torch
        >>> quantile_distance(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 5.0]))     # (0 + 2²) / 2
        tensor(2.)
        >>> quantile_distance(torch.tensor([1.0]), torch.tensor([1.0, 1.0, 4.0]))     # 3² / 3
        tensor(3.)
    """
    if values.ndim < 1 or target.ndim < 1 or values.shape[:-1] != target.shape[:-1]:
        raise ValueError(
            "`values` and `target` must have the same shape but for the last axis, got "
            f"{tuple(values.shape)} and {tuple(target.shape)}."
        )
    if values.shape[-1] < 1 or target.shape[-1] < 1:
        raise ValueError(
            f"`values` and `target` must not be empty, got {values.shape[-1]} and {target.shape[-1]} numbers."
        )
    values, target = at_least_float32(values), at_least_float32(target)
    means, spread = _met_by_quantiles(target, values.shape[-1])
    return (values - means).square().mean(-1) + spread


def _met_by_quantiles(target: Tensor, count: int) -> tuple[Tensor, Tensor | float]:
    """The mean of the target's quantiles in each of `count` equal intervals, and their spread within."""
    target_count = target.shape[-1]
    if target_count == count:
        return target, 0.0
    lengths, interval, met_by = common_steps(count, target_count, target.device)
    share = lengths.to(target.dtype) / target_count
    met = target.index_select(-1, met_by)
    means = target.new_zeros(*target.shape[:-1], count).index_add(-1, interval, met * share)
    spread = (met - means.index_select(-1, interval)).square() * share
    return means, spread.sum(-1) / count


def common_steps(count: int, other_count: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The pieces on which the quantile functions of sets of so many numbers are both constant.

    Returns:
        The lengths of the pieces in units of 1 / (count * other_count), where they are whole numbers, and the
        number of each set that a piece belongs to. Where steps of both coincide a piece of length zero lies
        between them, so that the sizes depend on the counts alone.
    """
    ends = torch.cat([
        torch.arange(1, count + 1, device=device) * other_count,
        torch.arange(1, other_count + 1, device=device) * count,
    ]).sort().values  # fmt: skip
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    first, second = starts // other_count, starts // count
    return ends - starts, first.clamp_max(count - 1), second.clamp_max(other_count - 1)


def sliced_wasserstein_distance(features: Tensor, target: Tensor, directions: Tensor) -> Tensor:
    r"""The mean over directions of the squared Wasserstein-2 distances of the projected features.

    It is zero exactly if all projections have the same distribution, whatever its form.

    Args:
        features: One feature map per image.
        target: Maps of the same channels and any size.
        directions: See :func:`random_directions`.

    Returns:
        One number per image, in float32 at least.

    Raises:
        ValueError: If the shapes do not fit each other.

    Shape:
        - features, target: (batch, channels, height, width), or any number of position axes
        - directions: (directions, channels)
        - output: (batch)

    Example:
        >>> import torch
        >>> features, target = torch.tensor([[[1.0, 4.0]]]), torch.tensor([[[4.0, 3.0]]])
        >>> sliced_wasserstein_distance(features, target, torch.tensor([[1.0]]))    # 1, 4 and 3, 4
        tensor([2.])

    Note:
        The spatial tags of the paper are a further channel with the labels of the regions, far
        apart, whose entry in every direction is one: they rule the sorting. If a region has the
        same number of positions in both images, the result is the distance within the regions,
        averaged by their areas. If not, the labels are compared too, and outweigh the features.

    References:
        Heitz, Vanhoey, Chambon, Belcour. *A sliced Wasserstein loss for neural texture synthesis*.
        CVPR 2021.
    """
    vectors, targets = position_sets(features, target)
    return quantile_distance(
        sorted_projections(vectors, directions), sorted_projections(targets, directions)
    ).mean(1)


def histogram_match(features: Tensor, target: Tensor) -> Tensor:
    """The features with the histogram that the same channel of the target has.

    In each channel the smallest value becomes the smallest of the target, and so on. If there
    are fewer positions than in the target, each gets the mean of the quantiles that it meets.

    Args:
        features: One feature map per image.
        target: Maps of the same channels and any size.

    Returns:
        A map of the shape of `features`, in float32 at least, without a gradient to `features`.

    Raises:
        ValueError: If batch sizes or channels differ.

    Shape:
        - features, target: (batch, channels, height, width), or any number of position axes

    Example:
        >>> import torch
        >>> histogram_match(torch.tensor([[[0.3, 0.1, 0.2]]]), torch.tensor([[[9.0, 7.0, 8.0]]]))
        tensor([[[9., 7., 8.]]])

    Note:
        Exact, by sorting, where the paper bins the values. Equal values are taken in the order of
        the positions, so they may get different ones; bins would keep them equal.

    References:
        Risser, Wilmot, Barnes. *Stable and controllable neural texture synthesis and style
        transfer using histogram losses*. 2017.
    """
    vectors, targets = position_sets(features, target)
    order = vectors.detach().sort(dim=2, stable=True).indices
    quantiles, _ = _met_by_quantiles(targets.sort(dim=2).values, vectors.shape[2])
    return torch.zeros_like(vectors).scatter(2, order, quantiles).reshape(features.shape)
