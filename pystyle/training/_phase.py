from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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


def phase_at(phases: Sequence[Phase], step: int) -> Phase:
    """The phase of a step, which counts from 0; behind the last one still the last."""
    for phase in phases:
        if step < phase.num_steps:
            return phase
        step -= phase.num_steps
    return phases[-1]
