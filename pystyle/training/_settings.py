"""Arguments of a training that are checked before the first step."""

from collections.abc import Mapping, Sequence
from typing import Any

from pystyle._arguments import check_mapping, is_number, number
from pystyle.criterion import Criterion
from pystyle.criterion._checks import check_loss_names
from pystyle.networks import Painter, Stylizer
from pystyle.runner._schedules import checked_schedule, factor_after
from pystyle.training._bindings import off_in
from pystyle.training._phase import Phase
from pystyle.training._players import switched_off
from pystyle.training._task import Task
from pystyle.typing import Schedule


def checked_phases(
    phases: Sequence[Phase] | None, num_steps: int, crop_size: int | None
) -> tuple[Phase, ...]:
    """The table of phases; one phase if only its numbers are given.

    Raises:
        TypeError: If it is something else, or empty.
    """
    if phases is None:
        return (Phase(num_steps, crop_size=crop_size),)
    several = isinstance(phases, Sequence) and len(phases) > 0
    if not several or not all(isinstance(phase, Phase) for phase in phases):
        raise TypeError("`phases` must be a list of `Phase`, at least one: `[Phase(9_000), Phase(1_000)]`.")
    return tuple(phases)


def check_network(network: Any) -> None:
    """Check that this can be trained.

    Raises:
        TypeError: If it is something else, such as a painter.
    """
    if not isinstance(network, Stylizer):
        hint = "Give the network that was bound: `painter.network`."
        if not isinstance(network, Painter):
            hint = "Make one, as `TransformNetwork()`, or a subclass of yours with the layers of your module."
        raise TypeError(f"`network` must be a Stylizer, got a {type(network).__name__}. {hint}")


def checked_learning_rate(schedule: Any) -> Schedule:
    """The schedule.

    Raises:
        TypeError: If it is a rate, or makes something of another optimizer, as the schedulers of torch do.
    """
    if is_number(schedule):
        raise TypeError(
            "`learning_rate` must be a function from the fraction of the training to a factor, got a "
            f"{type(schedule).__name__}. The rate itself is that of the optimizer: "
            "`partial(torch.optim.Adam, lr=1e-3)`."
        )
    return checked_schedule(schedule, "`learning_rate`", course="training")


def factor_at(schedule: Schedule, step: int, num_steps: int) -> float:
    """What a schedule gives for a step, counted from 0, of so many.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is negative or not finite.
    """
    fraction = step / max(num_steps - 1, 1)
    return factor_after(schedule, fraction, "`learning_rate`", course="training")


def checked_weights(
    criterion: Criterion, tasks: Mapping[str, Task], phases: Sequence[Phase], balance: Mapping[str, float]
) -> dict[str, float]:
    """The lengths of gradients that are wanted, if all names are known and each phase has something to learn.

    Raises:
        ValueError: If a loss compares with another image, there is none of a name, or a phase has none.
    """
    other = [name for name in criterion.references if name not in ("content", "style")]
    if other:
        raise ValueError(
            "`criterion` must compare with 'content' and 'style' only, got a loss that compares with "
            f"{other[0]!r}."
        )
    check_mapping(balance, "`balance`", '{"style": 5.0}')
    check_loss_names("balance", balance, criterion.named_losses)
    for phase in phases:
        check_loss_names("phases", phase.weights, [*criterion.named_losses, *tasks])
        active = [] if phase.identity else [name for name in tasks if name not in switched_off(phase)]
        if not active and off_in(criterion, phase) == set(criterion.named_losses):
            raise ValueError(
                "`phases` must leave something to be learned in each phase, got one in which no loss and no "
                f"task counts: {phase}."
            )
    return {name: number(value, "`balance`", above=0) for name, value in balance.items()}


def checked_limit(norm: float | None) -> float | None:
    """The longest gradient, if there is a limit.

    Raises:
        ValueError: If it is not positive.
    """
    return None if norm is None else number(norm, "`max_gradient_norm`", above=0)
