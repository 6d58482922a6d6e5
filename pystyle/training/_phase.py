from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from pystyle._arguments import check_mapping, number, whole_number


@dataclass(frozen=True)
class Phase:
    """A part of a training: so many steps that have something in common. A training is a table of these.

    Args:
        num_steps: How many steps.
        crop_size: The edge of the crops in pixels; None for the pictures as the data gives them.
        batch_size: Contents in a step; None for that of the training.
        learning_rate: What the learning rate is multiplied by.
        weights: What the weights of losses are multiplied by, by their names.
        identity: Whether each content stands for its style, so that the network learns to paint what it
            sees. A network for any style that begins so has fewer artefacts.

    Raises:
        ValueError: If a number has an impossible value.

    Example:
        >>> first = Phase(500, crop_size=128, identity=True)
        >>> phases = [first, Phase(9_000, crop_size=128), Phase(500, crop_size=256)]
        >>> sum(phase.num_steps for phase in phases)
        10000
    """

    num_steps: int
    crop_size: int | None = None
    batch_size: int | None = None
    learning_rate: float = 1.0
    weights: Mapping[str, float] = field(default_factory=dict)
    identity: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "num_steps", whole_number(self.num_steps, "`num_steps`", least=1))
        for name in ("crop_size", "batch_size"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, whole_number(value, f"`{name}`", least=1))
        object.__setattr__(self, "learning_rate", number(self.learning_rate, "`learning_rate`", least=0))
        check_mapping(self.weights, "`weights`", '{"style": 0.5}')
        weights = {name: number(value, f"The weight of {name!r}") for name, value in self.weights.items()}
        object.__setattr__(self, "weights", weights)


def described_phases(phases: Sequence[Phase]) -> list[Any]:
    """What the phases of a training that goes on must have: all but the number of steps of the last one."""
    *before, last = phases
    return [*before, {**vars(last), "num_steps": "the rest"}]


class PhaseTable:
    """Phases one after the other, of which there may be thousands. Steps count from 0.

    Args:
        phases: The phases, at least one.
        batch_size: Contents in a step of a phase that says nothing of it.
    """

    def __init__(self, phases: Sequence[Phase], *, batch_size: int = 1) -> None:
        self.phases, self.batch_size = phases, batch_size
        self._starts = [0, *accumulate(phase.num_steps for phase in phases)]
        self._drawn = [0, *accumulate(phase.num_steps * self.size_of(phase) for phase in phases)]

    def __len__(self) -> int:
        """The number of steps."""
        return self._starts[-1]

    def at(self, step: int) -> Phase:
        """The phase of a step; behind the last one still the last."""
        return self.phases[self._index(step)]

    def size_of(self, phase: Phase) -> int:
        """Contents in a step of a phase."""
        return phase.batch_size or self.batch_size

    def drawn_before(self, step: int) -> int:
        """How many contents were drawn in all steps before."""
        index = self._index(step)
        return self._drawn[index] + (step - self._starts[index]) * self.size_of(self.phases[index])

    def _index(self, step: int) -> int:
        return min(bisect_right(self._starts, step), len(self.phases)) - 1
