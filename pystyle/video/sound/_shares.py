"""From curves to the shares of styles, which sum to 1."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from pystyle._arguments import number, whole_number
from pystyle.video.sound._curve import Curve, Numbers
from pystyle.video.sound._decay import decays


def place_shares(place: Curve, count: int) -> Curve:
    """The shares of styles that stand in a row, for a place among them.

    At 0 the first style has all, at 1 the last; between two neighbours they share, and no other has any.

    Args:
        place: The place over time, in [0, 1].
        count: How many styles there are.

    Returns:
        The shares, with `count` values at a time.

    Raises:
        ValueError: If the place leaves [0, 1], or there are fewer than two styles.

    Example:
        >>> shares = place_shares(Curve([0, 8], [0, 1]), 3)
        >>> shares.at([0, 2, 4, 7]).tolist()
        [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.25, 0.75]]
    """
    count = whole_number(count, "`count`", least=2)
    check_control(place, "`place`")
    along = place.values * (count - 1)
    times = [place.times]
    # Where a line crosses the place of a style, the shares bend: there has to be a point.
    for style in range(1, count - 1):
        before, after = along[:-1] - style, along[1:] - style
        crossing = np.flatnonzero(before * after < 0)
        part = before[crossing] / (before[crossing] - after[crossing])
        times.append(place.times[crossing] + part * np.diff(place.times)[crossing])
    points = np.unique(np.concatenate(times))
    found = place.at(points)[:, None] * (count - 1)
    shares = np.maximum(1 - np.abs(found - np.arange(count)), 0)
    return Curve(points, shares / shares.sum(1, keepdims=True))


def switch_shares(times: ArrayLike, count: int, *, decay: float | None = None) -> Curve:
    """The shares of styles of which another takes over at each of some times.

    Args:
        times: The times in order, such as :func:`onset_times`.
        count: How many styles there are.
        decay: None for a switch that stays until the next: the first style begins, and they take turns. In
            seconds, each switch fades back to the first style, to 37 % in this time, and the others take
            turns.

    Returns:
        The shares, with `count` values at a time.

    Raises:
        ValueError: If the times are not in order, there are fewer than two styles, or `decay` is not
            positive.

    Example:
        >>> switch_shares([1, 2], 2).at([0.5, 1, 1.9, 2]).tolist()
        [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]
        >>> switch_shares([1, 2], 3, decay=0.2).at([1, 1.2, 2]).round(2).tolist()
        [[0.0, 1.0, 0.0], [0.63, 0.37, 0.0], [0.0, 0.0, 1.0]]
    """
    count = whole_number(count, "`count`", least=2)
    starts = np.array(times, np.float64)
    if starts.ndim != 1 or not np.isfinite(starts).all() or (np.diff(starts) <= 0).any():
        raise ValueError("`times` must be a sequence of numbers, each larger than the one before.")
    if decay is None:
        points = np.unique(np.concatenate([[0.0], starts, np.nextafter(starts, -np.inf)]))
        style = np.searchsorted(starts, points, "right") % count
        return Curve(points, np.eye(count)[style])
    points, fading, last = decays(starts, number(decay, "`decay`", above=0), 0.0)
    other = 1 + np.maximum(last, 0) % (count - 1)
    shares = fading[:, None] * np.eye(count)[other]
    shares[:, 0] = 1 - fading
    return Curve(points, shares)


def linear_shares(features: Sequence[Curve], weights: ArrayLike) -> Curve:
    """The shares of styles as fixed sums of features.

    A style gets the sum of the features times its weights; what is below 0 counts as 0, and then all are
    divided by their sum. Where all are 0, each has the same.

    Args:
        features: Curves. One with several values at a time, as :func:`chroma` has 12, is as many features.
        weights: What a style gets of each feature: a row for each style.

    Returns:
        The shares, with as many values at a time as `weights` has rows.

    Raises:
        ValueError: If there are no features, or `weights` has not a number for each in two rows or more.

    Shape:
        - weights: (styles, features)

    Example:
        >>> bass, voice = Curve([0, 1], [1, 1]), Curve([0, 1], [0, 1])
        >>> linear_shares([bass, voice], [[1, 0], [0, 3]]).at([0, 1]).tolist()
        [[1.0, 0.0], [0.25, 0.75]]

    Note:
        The quotient is taken at the points of the features; between two of them the shares are straight.
    """
    if not features:
        raise ValueError("`features` must have at least one curve, got none.")
    points = np.unique(np.concatenate([feature.times for feature in features]))
    values = np.concatenate([feature.at(points).reshape(len(points), -1) for feature in features], 1)
    matrix = np.array(weights, np.float64)
    if (
        matrix.ndim != 2
        or len(matrix) < 2
        or matrix.shape[1] != values.shape[1]
        or not np.isfinite(matrix).all()
    ):
        raise ValueError(
            f"`weights` must have a row for each style, at least two, of {values.shape[1]} finite numbers, "
            f"one for each feature, got the shape {matrix.shape}."
        )
    sums = np.maximum(values @ matrix.T, 0)
    total = sums.sum(1, keepdims=True)
    shares: Numbers = np.where(total > 0, sums / np.where(total > 0, total, 1), 1 / len(matrix))
    return Curve(points, shares)


def check_control(curve: Curve, label: str) -> None:
    """Check that a curve can control: one value at a time, in [0, 1].

    Raises:
        TypeError: If it is no curve.
        ValueError: If it has several values at a time, or leaves [0, 1].
    """
    if not isinstance(curve, Curve):
        raise TypeError(f"{label} must be a Curve, got a {type(curve).__name__}.")
    if curve.values.ndim != 1:
        raise ValueError(f"{label} must have one value at a time, got {curve.values.shape[1]}.")
    lowest, highest = float(curve.values.min()), float(curve.values.max())
    if lowest < 0 or highest > 1:
        raise ValueError(
            f"{label} must be in [0, 1], got values from {lowest:g} to {highest:g}. Bring it there with "
            "`scaled`."
        )
