import logging
import os

import torch

from pystyle._arguments import byte_count, pixel_size
from pystyle.criterion import Criterion
from pystyle.criterion._kind import check_criterion
from pystyle.evaluation import EagerEvaluation, Evaluation, StripEvaluation, evaluation_memory
from pystyle.evaluation._memory import gibibytes
from pystyle.optim import LBFGS
from pystyle.optim._factory import optimizer_factory
from pystyle.runner._memory import estimate_memory
from pystyle.typing import OptimizerFactory, Precision

_LOG = logging.getLogger("pystyle")
_STRIP_ROWS = (36, 16)
_FRAGMENTS = 0.75
"""What the blocks of strips leave unused between them in the memory of a CPU, relative to an evaluation.

Measured with glibc were 0.4 to 0.7 at 2048 pixels and 0.75 at 4096, after all levels of a pyramid.
"""
_ALWAYS_ENOUGH = 16_000
"""Bytes per pixel; no run with the encoders of the library takes as many."""


def choose_evaluation(
    criterion: Criterion,
    size: tuple[int, int],
    *,
    optimizer: OptimizerFactory = LBFGS,
    memory_budget: int | str | None = None,
    precision: Precision = "float32",
) -> Evaluation:
    """The fastest evaluation with which a run at this size keeps to a memory budget.

    Strips are announced through the logger ``pystyle``, with what the run takes.

    Args:
        criterion: Encoder and losses.
        size: Height and width of the largest image in pixels.
        optimizer: The optimizer of the run.
        memory_budget: Bytes, or text such as ``"4GB"``; four fifths of what is free if not given.
        precision: Of the encoder.

    Returns:
        An :class:`~pystyle.evaluation.EagerEvaluation` or a :class:`~pystyle.evaluation.StripEvaluation`.

    Raises:
        MemoryError: If even strips take more.
        TypeError: If the criterion is something else.
        ValueError: If the image needs strips and a loss needs all positions at once.

    Example:
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg11
        >>> criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu2_1")})
        >>> choose_evaluation(criterion, (512, 512))
        EagerEvaluation(precision='float32')
        >>> choose_evaluation(criterion, (1024, 1024), memory_budget=10**9)
        StripEvaluation(rows=36, precision='float32', distributed=False)
    """
    check_criterion(criterion)
    if memory_budget is None:
        budget = int(0.8 * free_memory(_device(criterion)))
    else:
        budget = byte_count(memory_budget, "`memory_budget`")
    size, optimizer = pixel_size(size, "`size`"), optimizer_factory(optimizer)
    eager = EagerEvaluation(precision)
    if size[0] * size[1] * _ALWAYS_ENOUGH <= budget:
        return eager
    if estimate_memory(criterion, size, optimizer=optimizer, evaluation=eager) <= budget:
        return eager
    needed = 0
    for rows in _STRIP_ROWS:
        strips = StripEvaluation(rows, precision)
        needed = estimate_memory(criterion, size, optimizer=optimizer, evaluation=strips)
        if _device(criterion).type == "cpu":
            needed += round(_FRAGMENTS * evaluation_memory(criterion, size, strips))
        if needed <= budget:
            place = f"{size[0]} x {size[1]} pixels are evaluated in strips of {rows} rows"
            _LOG.info("%s; the run takes about %s beside the network.", place, gibibytes(needed))
            return strips
    raise MemoryError(
        f"A run at {size[0]} x {size[1]} pixels takes about {gibibytes(needed)} even in strips of "
        f"{_STRIP_ROWS[-1]} rows, and {gibibytes(budget)} are allowed. Take a smaller image, "
        '`precision="bfloat16"`, or an optimizer that keeps less: `partial(LBFGS, history_size=5)`.'
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


def _device(criterion: Criterion) -> torch.device:
    return next((parameter.device for parameter in criterion.encoder.parameters()), torch.device("cpu"))
