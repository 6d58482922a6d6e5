import logging
import os

import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.evaluation._allocations import Allocations
from pystyle.evaluation._eager import EagerEvaluation
from pystyle.evaluation._evaluation import Evaluation
from pystyle.evaluation._strips import StripEvaluation
from pystyle.typing import Precision

_LOG = logging.getLogger("pystyle")
_EAGER = EagerEvaluation()

_SCRATCH = 24 * 2**20
"""What convolutions and the allocator take beside the tensors, in bytes; measured at 512 and 1024 pixels."""
_STRIP_ROWS = (64, 16)
_ALWAYS_ENOUGH = 16_000
"""Bytes per pixel; no encoder of the library takes as many."""


def evaluation_memory(criterion: Criterion, size: tuple[int, int], evaluation: Evaluation = _EAGER) -> int:
    """The memory that evaluating an image takes at most, beside the criterion itself.

    References of the same size are represented, and terms and gradient are computed, for three
    small images of noise, while the tensors that live at a time are added up. What an image takes
    grows with its area and, in strips, with its width.

    Args:
        criterion: Encoder and losses.
        size: Height and width of the image in pixels.
        evaluation: How it is evaluated.

    Returns:
        The number of bytes. Measured peaks were within 20 % of it at 512 and 1024 pixels.

    Example:
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg11
        >>> criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu2_1")})
        >>> small, large = (evaluation_memory(criterion, (side, side)) for side in (512, 1024))
        >>> 3 < large / small < 4.1
        True
    """
    smallest = criterion.encoder.minimum_size(criterion.layers)
    deepest = max((criterion.encoder.stride(layer) for layer in criterion.layers), default=1)
    rows = getattr(evaluation, "rows", 0)
    # Whole strips of every part of the encoder, of which there are two and then three.
    taller, wider = max(smallest, 64, rows * deepest), max(smallest, 48 if rows else 96)
    height, width = max(2 * taller, 192), wider
    base = _peak(criterion, (height, width), evaluation)
    by_area = (_peak(criterion, (height + taller, width), evaluation) - base) / (taller * width)
    by_width = (_peak(criterion, (height, width + wider), evaluation) - base) / wider - by_area * height
    constant = base - by_area * height * width - by_width * width
    return round(constant + by_area * size[0] * size[1] + by_width * size[1]) + _SCRATCH


def choose_evaluation(
    criterion: Criterion,
    size: tuple[int, int],
    *,
    memory_budget: int | None = None,
    precision: Precision = "float32",
) -> Evaluation:
    """The fastest evaluation of images of this size that a memory budget allows.

    Args:
        criterion: Encoder and losses.
        size: Height and width of the largest image in pixels.
        memory_budget: Bytes; four fifths of what is free if not given.
        precision: Of the encoder.

    Returns:
        An :class:`EagerEvaluation` or a :class:`StripEvaluation`.

    Raises:
        MemoryError: If even strips take more.
        ValueError: If the image needs strips and a loss needs all positions at once.

    Example:
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg11
        >>> criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu2_1")})
        >>> choose_evaluation(criterion, (512, 512))
        EagerEvaluation(precision='float32')
        >>> choose_evaluation(criterion, (4096, 4096), memory_budget=4 * 2**30)
        StripEvaluation(rows=64, precision='float32', distributed=False)
    """
    budget = int(0.8 * free_memory(_device(criterion))) if memory_budget is None else memory_budget
    eager = EagerEvaluation(precision)
    if size[0] * size[1] * _ALWAYS_ENOUGH <= budget:
        return eager
    needed = evaluation_memory(criterion, size, eager)
    if needed <= budget:
        return eager
    for rows in _STRIP_ROWS:
        strips = StripEvaluation(rows, precision)
        needed = evaluation_memory(criterion, size, strips)
        if needed <= budget:
            _LOG.info(
                "%d x %d pixels are evaluated in strips of %d rows, which takes about %s.",
                *(*size, rows, gibibytes(needed)),
            )
            return strips
    raise MemoryError(
        f"An evaluation of {size[0]} x {size[1]} pixels takes about {gibibytes(needed)} even in strips of "
        f"{_STRIP_ROWS[-1]} rows, and {gibibytes(budget)} are allowed. Take a smaller image, or "
        'precision="bfloat16".'
    )


def free_memory(device: torch.device) -> int:
    """The memory of a device that is free, in bytes; where that cannot be known, half of what there is."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        names = getattr(os, "sysconf_names", {})
        if "SC_PHYS_PAGES" not in names:
            return 4 * 2**30
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def gibibytes(number: int) -> str:
    """A number of bytes in words."""
    return f"{number / 2**30:.1f} GiB"


def _peak(criterion: Criterion, size: tuple[int, int], evaluation: Evaluation) -> int:
    image = _noise(criterion, size)
    references = dict.fromkeys(criterion.references, image)
    with Allocations() as allocations:
        evaluation.bind(criterion, references)(image)
    return int(allocations.peak)


def _noise(criterion: Criterion, size: tuple[int, int]) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, *size, generator=generator)
    return image.to(_device(criterion), criterion.encoder.image_dtype or image.dtype)


def _device(criterion: Criterion) -> torch.device:
    return next((parameter.device for parameter in criterion.encoder.parameters()), torch.device("cpu"))
