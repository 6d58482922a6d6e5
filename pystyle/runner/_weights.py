"""Weights that schedules change, as tensors."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from pystyle.evaluation import Evaluator
from pystyle.evaluation._evaluation import weighted
from pystyle.runner._schedules import checked_schedules, factors_of_steps
from pystyle.typing import Schedule


class ScheduledWeights:
    """Factors of weights that are filled before each step, because a graph on the device may read them.

    Args:
        schedules: The schedules by the names of the losses.
        like: A tensor of their type and device.

    Raises:
        TypeError: If they have no names, or one is no schedule.
    """

    def __init__(self, schedules: Mapping[str, Schedule] | None, like: Tensor) -> None:
        self._schedules = checked_schedules(schedules or {})
        self._tensors = {name: like.new_ones(()) for name in self._schedules}
        self._factors: Mapping[str, Sequence[float]] = {}

    def applied_to(self, evaluator: Evaluator) -> Evaluator:
        """The evaluator with these weights.

        Raises:
            TypeError: If it cannot change its weights.
            ValueError: If there is no loss of such a name.
        """
        return weighted(evaluator, self._tensors) if self._tensors else evaluator

    def plan(self, num_steps: int) -> None:
        """Ask the schedules for the factors of a run with so many steps.

        Raises:
            TypeError: If one gives no number.
            ValueError: If one is negative or not finite.
        """
        self._factors = factors_of_steps(self._schedules, num_steps)

    def set(self, step: int) -> None:
        """Fill in the factors of a step, of which the first is 1; of none they are those of the first."""
        for name, tensor in self._tensors.items():
            tensor.fill_(self._factors[name][max(step - 1, 0)])
