import logging
from collections.abc import Callable
from typing import TypeGuard

import torch
from torch.optim import Optimizer

from pystyle.criterion import Terms
from pystyle.evaluation import Evaluator, GraphedEvaluator

_LOG = logging.getLogger("pystyle")
_EAGER_STEPS = 3
"""Steps in which optimizers make their state, and libraries choose their algorithms."""


class CaptureError(Exception):
    """A step that cannot be captured. Nothing was computed."""


class StepGraph:
    """Takes the steps of a run: the first ones as they are, the others by a graph of a whole one.

    Args:
        graphed: How a graph is made.
    """

    def __init__(self, graphed: GraphedEvaluator) -> None:
        self.graphed = graphed
        self._eager_steps = 0
        self._captured: tuple[Terms, Callable[[], None]] | None = None

    def __call__(self, take: Callable[[], Terms]) -> Terms:
        """Take a step, and give the terms that it starts from.

        Args:
            take: Does it without looking at a number; the same at each call.

        Raises:
            CaptureError: If it cannot be captured.
        """
        if self._eager_steps < _EAGER_STEPS:
            self._eager_steps += 1
            return take()
        if self._captured is None:
            try:
                self._captured = self.graphed.capture(take, warm_ups=0)
            except RuntimeError as error:
                raise CaptureError(f"this step cannot be captured whole: {error}") from error
        terms, replay = self._captured
        replay()
        # The next replay writes over them.
        return Terms({name: term.clone() for name, term in terms.items()})


def can_capture_steps(
    evaluator: Evaluator, optimizer: Optimizer, device: torch.device
) -> TypeGuard[GraphedEvaluator]:
    """Whether steps can be captured whole; the optimizer is told to count on the device then."""
    if not isinstance(evaluator, GraphedEvaluator) or device.type != evaluator.device_type:
        return False
    if not all("capturable" in group for group in optimizer.param_groups):
        name = type(optimizer).__name__
        _LOG.info("Only the evaluation is captured, for %s has no option `capturable`.", name)
        return False
    for group in optimizer.param_groups:
        group["capturable"] = True
    return True
