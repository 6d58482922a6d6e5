import math
from typing import NamedTuple

import torch
from torch import Tensor

from pystyle._arguments import seed_number, whole_number
from pystyle.metrics._features import checked_sets


class KernelDistance(NamedTuple):
    """What :func:`kernel_distance` found.

    Attributes:
        value: The mean over the subsets.
        deviation: The standard deviation over the subsets; NaN if it is not known, because the only subset is
            the whole of both sets.
        subset_size: How many vectors each subset had.

    Example:
        >>> import torch
        >>> kernel_distance(torch.zeros(2, 1), torch.zeros(2, 1)).value
        0.0
    """

    value: float
    deviation: float
    subset_size: int

    def __str__(self) -> str:
        """The value with its deviation."""
        known = not math.isnan(self.deviation)
        return f"{self.value:.4g} " + (f"± {self.deviation:.2g}" if known else "(deviation not known)")


def kernel_distance(
    features: Tensor, reference: Tensor, *, num_subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> KernelDistance:
    r"""The kernel distance of two sets of features: less is nearer, about 0 if both are of one distribution.

    The unbiased estimate of the squared maximum mean discrepancy with the kernel
    :math:`(x^\top y / d + 1)^3` of d channels, over subsets that are drawn without replacement. With the
    features of the Inception network it is the KID. Unlike the Fréchet distance it does not depend on the
    number of vectors, and it may be negative. How much it varies is known only where subsets differ: of two
    sets of no more vectors than `subset_size` and equally many, it is computed once.

    Args:
        features: Of the pictures.
        reference: Of what they are compared with.
        num_subsets: How many subsets are drawn.
        subset_size: How many vectors each has; all of the smaller set if it has fewer.
        seed: What is drawn depends on it alone.

    Raises:
        ValueError: If these are no matrices of as many channels, there are fewer than two vectors, or a
            number is not positive.

    Shape:
        - features: (number, channels)
        - reference: (other number, channels)

    Example:
        >>> import torch
        >>> zeros, ones = torch.zeros(2, 1), torch.ones(2, 1)
        >>> kernel_distance(zeros, ones, num_subsets=2)         # (0 + 1)³ + (1 + 1)³ - 2 (0 + 1)³
        KernelDistance(value=7.0, deviation=nan, subset_size=2)

    References:
        Bińkowski, Sutherland, Arbel and Gretton, *Demystifying MMD GANs*, ICLR 2018.
    """
    x, y = checked_sets(features, reference)
    num_subsets = whole_number(num_subsets, "`num_subsets`", least=1)
    size = min(whole_number(subset_size, "`subset_size`", least=2), len(x), len(y))
    if size < 2:
        raise ValueError(
            f"`features` and `reference` must have two vectors at least, got {len(x)} and {len(y)}."
        )
    if size == len(x) == len(y):
        # Each subset would be the whole in another order, and their deviation that of rounding.
        return KernelDistance(float(_discrepancy(x, y)), math.nan, size)
    generator = torch.Generator().manual_seed(seed_number(seed))
    found = []
    for _ in range(num_subsets):
        first = x[torch.randperm(len(x), generator=generator, device="cpu")[:size].to(x.device)]
        second = y[torch.randperm(len(y), generator=generator, device="cpu")[:size].to(y.device)]
        found.append(_discrepancy(first, second))
    values = torch.stack(found)
    return KernelDistance(float(values.mean()), float(values.std(correction=0)), size)


def _discrepancy(x: Tensor, y: Tensor) -> Tensor:
    count = len(x)

    def kernel(first: Tensor, second: Tensor) -> Tensor:
        return (first @ second.mT / first.shape[1] + 1) ** 3

    def of_others(matrix: Tensor) -> Tensor:
        return (matrix.sum() - matrix.diagonal().sum()) / (count * (count - 1))

    return of_others(kernel(x, x)) + of_others(kernel(y, y)) - 2 * kernel(x, y).mean()
