from torch import Tensor

from pystyle.functional._transport import common_steps
from pystyle.metrics._pictures import pictures
from pystyle.metrics._sorting import ascending


def color_distance(image: Tensor, style: Tensor) -> Tensor:
    r"""How far the colours of a picture are from those of a style: 0 if they are the same, at most 1.

    .. math:: \tfrac{1}{3} \sum_c \int_0^1 \left| F_c^{-1}(t) - G_c^{-1}(t) \right| dt

    with the quantiles of each of R, G and B for itself: the mean way that a value has to go. It does not see
    where a colour is, nor which values of the three occur together.

    Args:
        image: The pictures.
        style: What they are compared with, of any size: one image, or as many.

    Raises:
        TypeError: If one is no floating tensor.
        ValueError: If they leave [0, 1], or the batches differ.

    Shape:
        - image, style: (batch, 3, height, width)
        - output: (batch), in float64

    Example:
        >>> import torch
        >>> color_distance(torch.full((1, 3, 8, 8), 0.75), torch.full((1, 3, 5, 9), 0.5))
        tensor([0.2500], dtype=torch.float64)

    References:
        The Wasserstein-1 distance of distributions on a line: Peyré and Cuturi, *Computational Optimal
        Transport*, 2019, remark 2.30.
    """
    image, style = pictures(image, style, "style")
    first, second = ascending(image.flatten(2)), ascending(style.flatten(2))
    return _distance_of_sorted(first, second.expand(len(first), -1, -1)).mean(1)


def saturation_ratio(image: Tensor, style: Tensor) -> Tensor:
    """How colourful a picture is beside a style: 1 if it is as colourful, well below 1 if it is washed out.

    The ratio of the means of max(R, G, B) - min(R, G, B). Beside a grey style it is infinite, and NaN for two
    that are grey. It does not see which colours there are.

    Args:
        image: The pictures.
        style: What they are compared with, of any size: one image, or as many.

    Raises:
        TypeError: If one is no floating tensor.
        ValueError: If they leave [0, 1], or the batches differ.

    Shape:
        - image, style: (batch, 3, height, width)
        - output: (batch), in float64

    Example:
        >>> import torch
        >>> red, dull = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.5)
        >>> red[:, 0], dull[:, 0] = 1.0, 0.75
        >>> saturation_ratio(dull, red)
        tensor([0.2500], dtype=torch.float64)
    """
    image, style = pictures(image, style, "style")
    return _chroma(image) / _chroma(style)


def _chroma(image: Tensor) -> Tensor:
    return (image.amax(1) - image.amin(1)).mean((1, 2))


def _distance_of_sorted(first: Tensor, second: Tensor) -> Tensor:
    """The distance of sets of numbers, ascending along the last axis: the area between their quantiles."""
    counts = first.shape[-1], second.shape[-1]
    lengths, own, other = common_steps(*counts, first.device)
    area: Tensor = ((first[..., own] - second[..., other]).abs() * lengths).sum(-1)
    return area / (counts[0] * counts[1])
