"""The types that several floors of the library share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

IMAGE = "image"
"""The layer that is the image itself."""

Representation: TypeAlias = Tensor | tuple[Tensor, ...]
"""What a loss makes of the features: one tensor or a (named) tuple of them, the batch axis first."""

Spatial: TypeAlias = Literal["pooled", "dense", "set"]
"""How a representation depends on positions; see :class:`pystyle.Loss`."""

Metric: TypeAlias = Literal["cosine", "centered_cosine", "euclidean"]
"""What nearest means; see :func:`pystyle.functional.nearest_neighbors`."""

Reference: TypeAlias = Tensor | Sequence[tuple[Tensor, float]]
"""An image, or several with weights that are blended."""

References: TypeAlias = Mapping[str, Reference]
"""The images that losses compare with, by name: ``{"content": ..., "style": ...}``."""

Schedule: TypeAlias = Callable[[float], float]
"""From the fraction of a run that is done, 0 at the first step and 1 at the last, to a factor of a weight."""

OptimizerFactory: TypeAlias = Callable[[Iterable[Tensor]], "torch.optim.Optimizer"]
"""Any optimizer class of torch or pystyle, or a `functools.partial` of one."""

History: TypeAlias = dict[str, list[Any]]
"""Columns of equal length by name: ``step``, ``total`` and every term."""

Precision: TypeAlias = Literal["float32", "tf32", "bfloat16", "float16"]
"""In what an encoder computes; see :class:`pystyle.evaluation.EagerEvaluation`."""

NamedInit: TypeAlias = Literal["content", "style", "uniform", "normal", "grey", "style_colours"]
"""The images to start from that have a name; see :func:`pystyle.runner.initial_image`."""

Colors: TypeAlias = Literal["style", "content", "luminance"]
"""Whose colours a picture has; see :func:`pystyle.stylize`."""

StyleLossName: TypeAlias = Literal[
    "wasserstein",
    "gram",
    "mean-std",
    "covariance",
    "mrf",
    "nearest-neighbor",
    "contextual",
    "sliced-wasserstein",
    "histogram",
    "relaxed-emd",
]
"""The style losses that have a name; see :func:`pystyle.stylize`."""

Init: TypeAlias = NamedInit | Tensor | tuple[int, int]
"""An image to start from: its name, itself, or the size of noise."""
