import math

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.functional._precision import at_least_float32

_EULER = 0.5772156649015329


def nearest_neighbor_entropy(samples: Tensor, *, eps: float = 0.0) -> Tensor:
    r"""The entropy of the distribution that samples come from, estimated by their distances.

    With :math:`\rho_i` the distance of sample i to the nearest other one, D their number of entries and
    :math:`\gamma` Euler's constant, it is

    .. math:: \frac{D}{N} \sum_i \ln \rho_i + \ln (N - 1) + \gamma
              + \ln \frac{\pi^{D/2}}{\mathop{\Gamma}(D/2 + 1)}

    The further samples lie from each other, the larger it is.

    Args:
        samples: The samples, at least two.
        eps: What is added to the squares of the distances. With 0 two equal samples make it -∞.

    Returns:
        A scalar, in nats.

    Raises:
        ValueError: If there are fewer than two samples, they have no entries, or `eps` is negative.

    Shape:
        - samples: (samples, ...)

    Example:
        >>> samples = torch.tensor([[0.0, 0.0], [3.0, 4.0]])     # D = 2, both distances are 5
        >>> expected = 2 * math.log(5) + math.log(1) + 0.5772157 + math.log(math.pi)
        >>> round(float(nearest_neighbor_entropy(samples)) - expected, 4)
        0.0

    Note:
        Gradients go to both samples of a pair; which they are is a constant.

    References:
        Kozachenko and Leonenko, *Sample estimate of the entropy of a random vector*, Problems of Information
        Transmission, 1987.
    """
    flat = _flat(samples)
    count, size = flat.shape
    volume = size / 2 * math.log(math.pi) - math.lgamma(size / 2 + 1)
    return size * mean_log_distance(samples, eps=eps) + math.log(count - 1) + _EULER + volume


def mean_log_distance(samples: Tensor, *, eps: float = 0.0) -> Tensor:
    """The mean of the logarithms of the distances to the nearest other sample.

    Args:
        samples: The samples, at least two.
        eps: What is added to the squares of the distances.

    Raises:
        ValueError: If there are fewer than two samples, they have no entries, or `eps` is negative.
    """
    eps = number(eps, "`eps`", least=0)
    flat = _flat(samples)
    with torch.no_grad():
        nearest = torch.stack([_squares_from(flat, index).argmin() for index in range(len(flat))])
    squares = (flat - flat[nearest]).square().sum(1)
    return (squares + eps).log().mean() / 2


def _squares_from(flat: Tensor, index: int) -> Tensor:
    """The squared distances of one sample to all, of which its own counts as infinite."""
    squares = (flat - flat[index]).square().sum(1)
    squares[index] = torch.inf
    return squares


def _flat(samples: Tensor) -> Tensor:
    if samples.ndim < 2 or samples.shape[0] < 2 or not samples.numel():
        raise ValueError(
            f"`samples` must be at least two samples, (samples, ...), got the shape {tuple(samples.shape)}."
        )
    return at_least_float32(samples).flatten(1)
