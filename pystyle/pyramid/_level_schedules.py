"""Weights that change from level to level, and schedules that run through all levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pystyle._arguments import numbers
from pystyle.pyramid._level import Level
from pystyle.typing import Schedule


@dataclass(frozen=True)
class LevelSchedule:
    """A schedule of the whole run as one of a level.

    Attributes:
        level: The level.
        schedule: Of the whole run; None for a constant.
        weight: The factor of the level.
    """

    level: Level
    schedule: Schedule | None
    weight: float

    def __call__(self, fraction: float) -> float:
        """The factor after this fraction of the level."""
        if self.schedule is None:
            return self.weight
        step = self.level.steps_before + fraction * max(self.level.num_steps - 1, 0)
        return self.weight * self.schedule(min(step / max(self.level.all_steps - 1, 1), 1.0))


def schedules_at(
    level: Level, schedules: Mapping[str, Schedule], level_weights: Mapping[str, Sequence[float]]
) -> dict[str, Schedule]:
    """The schedules of a level, by the names of the losses.

    Args:
        level: The level.
        schedules: Of the whole run.
        level_weights: One factor for each level that is run.
    """
    return {
        name: LevelSchedule(
            level, schedules.get(name), level_weights[name][level.index] if name in level_weights else 1.0
        )
        for name in dict.fromkeys([*schedules, *level_weights])
    }


def checked_level_weights(
    level_weights: Mapping[str, Sequence[float]], num_levels: int
) -> dict[str, tuple[float, ...]]:
    """The factors of each loss, one for each level of the pyramid.

    Raises:
        TypeError: If one is no number.
        ValueError: If there are more or fewer, or one is not finite or negative.
    """
    found = {}
    for name, weights in level_weights.items():
        found[name] = numbers(weights, f"`level_weights[{name!r}]`", least=0)
        if len(found[name]) != num_levels:
            raise ValueError(
                f"`level_weights[{name!r}]` must have one factor for each of the {num_levels} levels, got "
                f"{found[name]}."
            )
    return found
