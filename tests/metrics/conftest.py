"""LPIPS and the distance to a style once more, from their formulas and with nothing of `pystyle`.

They look through a VGG-16 that is given as its thirteen kernels and biases.
"""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

_CONVOLUTIONS = (2, 2, 3, 3, 3)
"""Up to relu1_2, relu2_2, relu3_3, relu4_3 and relu5_3."""
# Of LPIPS, for an input in [-1, 1]; the mean and deviation of ImageNet for [0, 1].
_SHIFT = torch.tensor((-0.030, -0.088, -0.188)).view(1, 3, 1, 1)
_SCALE = torch.tensor((0.458, 0.448, 0.450)).view(1, 3, 1, 1)


@pytest.fixture(scope="session")
def independent() -> SimpleNamespace:
    """The functions of this file."""
    return SimpleNamespace(lpips=lpips, style_distance=style_distance)


def features(layers: Sequence[tuple[Tensor, Tensor]], image: Tensor) -> list[Tensor]:
    """The features at the ends of the five stages of one image, (1, 3, height, width)."""
    x, rest, found = (2 * image - 1 - _SHIFT) / _SCALE, iter(layers), []
    for index, count in enumerate(_CONVOLUTIONS):
        x = F.max_pool2d(x, 2) if index else x
        for _ in range(count):
            x = F.conv2d(x, *next(rest), padding=1).relu()
        found.append(x)
    return found


def lpips(
    layers: Sequence[tuple[Tensor, Tensor]], heads: Sequence[Tensor], image: Tensor, other: Tensor
) -> float:
    """Zhang et al. 2018, equation 1."""
    total = 0.0
    for head, x, y in zip(heads, features(layers, image), features(layers, other), strict=True):
        x, y = (part / (part.square().sum(1, keepdim=True).sqrt() + 1e-10) for part in (x, y))
        total += float(F.conv2d((x - y).square(), head.view(1, -1, 1, 1)).mean())
    return total


def style_distance(
    layers: Sequence[tuple[Tensor, Tensor]], directions: Sequence[Tensor], image: Tensor, style: Tensor
) -> float:
    """The sliced Wasserstein distance of the first four stages, compared at 4,096 quantiles."""
    terms = []
    for unit, x, y in zip(directions, features(layers, image), features(layers, style), strict=False):
        own, target = (quantiles((unit @ part[0].flatten(1)).numpy(), 4096) for part in (x, y))
        terms.append(((own - target) ** 2).mean() / target.var(1).mean())
    return float(np.mean(terms))


def quantiles(values: np.ndarray, number: int) -> np.ndarray:
    """Interpolated quantiles at (k + 1/2) / number of each row, whose n values stand at (i + 1/2) / n."""
    places = (np.arange(values.shape[1]) + 0.5) / values.shape[1]
    levels = (np.arange(number) + 0.5) / number
    return np.stack([np.interp(levels, places, np.sort(row)) for row in values])
