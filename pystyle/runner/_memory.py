from collections.abc import Iterator
from contextlib import contextmanager
from traceback import clear_frames

import torch

from pystyle._arguments import byte_count, is_lack_of_memory, pixel_size
from pystyle.criterion import Criterion
from pystyle.criterion._kind import check_criterion
from pystyle.evaluation import Evaluation
from pystyle.evaluation._allocations import Allocations
from pystyle.evaluation._eager import EagerEvaluation
from pystyle.evaluation._memory import evaluation_memory, gibibytes
from pystyle.optim import LBFGS
from pystyle.optim._factory import optimizer_factory
from pystyle.runner._checks import check_evaluation
from pystyle.typing import OptimizerFactory

_EAGER = EagerEvaluation()
_HELD_IMAGES = 2
"""What a runner holds beside its optimizer all the time: the iterate and the last good one."""
_PASSING_IMAGES = 2
"""What it holds while the optimizer moves, beside the gradient: the choice of what is good, and a copy."""


def estimate_memory(
    criterion: Criterion,
    size: tuple[int, int],
    *,
    optimizer: OptimizerFactory = LBFGS,
    evaluation: Evaluation = _EAGER,
) -> int:
    """The memory that a run takes at most, beside the criterion itself.

    Args:
        criterion: Encoder and losses.
        size: Height and width of the image in pixels; references are taken to be as large.
        optimizer: The optimizer of the run.
        evaluation: How the image is evaluated.

    Returns:
        The number of bytes.

    Raises:
        TypeError: If the criterion or the evaluation is something else.

    Example:
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg11
        >>> criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu2_1")})
        >>> lbfgs = estimate_memory(criterion, (512, 512))
        >>> lbfgs > estimate_memory(criterion, (512, 512), optimizer=torch.optim.Adam)
        True
    """
    check_criterion(criterion)
    check_evaluation(evaluation)
    size = pixel_size(size, "`size`", least=0)
    pixels = size[0] * size[1]
    kept, most = _optimizer_memory(optimizer)
    held = pixels * (12 * _HELD_IMAGES + kept)
    # An image is evaluated, and then it is moved: the two do not add up.
    moving = pixels * (12 * _PASSING_IMAGES + most - kept)
    return round(held + max(evaluation_memory(criterion, size, evaluation), moving))


def largest_size(
    criterion: Criterion,
    memory_budget: int | str,
    *,
    optimizer: OptimizerFactory = LBFGS,
    evaluation: Evaluation = _EAGER,
) -> int:
    """The side of the largest square image that a run has memory for.

    Args:
        criterion: Encoder and losses.
        memory_budget: The number of bytes, or text such as ``"4GB"``.
        optimizer: The optimizer of the run.
        evaluation: How the image is evaluated.

    Returns:
        The side in pixels; 0 if there is none.

    Raises:
        TypeError: If the criterion or the evaluation is something else.

    Example:
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg11
        >>> criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu2_1")})
        >>> largest_size(criterion, 2**30) < largest_size(criterion, 2**31)
        True
    """
    # Memory is a constant, a part that grows with the width, and one that grows with the area.
    sides = (0, 1024, 2048)
    low, middle, high = (
        estimate_memory(criterion, (side, side), optimizer=optimizer, evaluation=evaluation) for side in sides
    )
    area = (high - 2 * middle + low) / (2 * 1024**2)
    width = (middle - low) / 1024 - area * 1024
    free = byte_count(memory_budget, "`memory_budget`") - low
    if free <= 0:
        return 0
    return int(2 * free / (width + (width**2 + 4 * area * free) ** 0.5))


@contextmanager
def explained_memory_errors(
    criterion: Criterion, size: tuple[int, int], optimizer: OptimizerFactory, evaluation: Evaluation
) -> Iterator[None]:
    """A context that tells how much memory a run takes and what to change, if it runs out of it.

    Args:
        criterion: Encoder and losses.
        size: Height and width of the image in pixels.
        optimizer: The optimizer of the run.
        evaluation: How the image is evaluated.

    Raises:
        MemoryError: In place of what torch raises.

    Example:
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg11
        >>> from pystyle.evaluation import EagerEvaluation
        >>> criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu2_1")})
        >>> with explained_memory_errors(criterion, (64, 64), LBFGS, EagerEvaluation()):
        ...     raise torch.OutOfMemoryError
        Traceback (most recent call last):
        MemoryError: A run at 64 x 64 pixels takes about 0.0 GiB, more than was free. ...
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_lack_of_memory(error):
            raise
        # The frames of what failed hold its tensors, and would hold them as long as somebody keeps the error.
        clear_frames(error.__traceback__)
        raise MemoryError(
            f"A run at {size[0]} x {size[1]} pixels takes {_needed(criterion, size, optimizer, evaluation)}. "
            "Take a smaller image, `StripEvaluation()`, half precision, or an optimizer that keeps less: "
            "`partial(LBFGS, history_size=5)`."
        ) from error


def _needed(
    criterion: Criterion, size: tuple[int, int], optimizer: OptimizerFactory, evaluation: Evaluation
) -> str:
    try:
        needed = estimate_memory(criterion, size, optimizer=optimizer, evaluation=evaluation)
    except (RuntimeError, MemoryError):
        # There may be too little memory even for that.
        return "more memory than was free"
    return f"about {gibibytes(needed)}, more than was free"


def _optimizer_memory(optimizer: OptimizerFactory) -> tuple[float, float]:
    """Bytes per pixel that an optimizer keeps, and the most that it takes in a step with the gradient."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 32, 32, generator=generator, dtype=torch.float32, device="cpu").requires_grad_()

    def closure() -> torch.Tensor:
        image.grad = image.detach() - 0.5
        return torch.zeros((), device="cpu")

    with Allocations() as allocations:
        instance = optimizer_factory(optimizer)([image])
        for _ in range(3):
            instance.step(closure)  # type: ignore[arg-type]
        image.grad = None
        kept = allocations.current
    return kept / (32 * 32), allocations.peak / (32 * 32)
