from dataclasses import dataclass


@dataclass(frozen=True)
class StepSchedule:
    """A learning rate that is multiplied every so many steps, as published trainings have it.

    Args:
        num_steps: Steps of the whole training, which the fraction is one of.
        every: How many steps it stays the same.
        factor: What it is then multiplied by.
        first: After how many steps it is multiplied for the first time; `every` if not given.
    """

    num_steps: int
    every: int
    factor: float
    first: int | None = None

    def __call__(self, fraction: float) -> float:
        """The factor after this fraction of the training."""
        done = round(fraction * max(self.num_steps - 1, 0))
        first = self.every if self.first is None else self.first
        times = (done - first) // self.every + 1
        return float(self.factor ** max(times, 0))
