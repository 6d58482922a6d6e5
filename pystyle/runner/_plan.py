"""How many steps a run takes, also where it goes on longer than it was first asked to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pystyle.checkpoints import CheckpointError


@dataclass(frozen=True)
class Plan:
    """The steps of a run at each of its levels, of which there may be one.

    Attributes:
        asked: What was asked for.
        steps: What is taken: what coarse levels lack that are over is made up for at a later one.
        from_picture: Why the run does not go on as one that was asked for as much at once, but from its
            picture; empty if it does.
    """

    asked: tuple[int, ...]
    steps: tuple[int, ...]
    from_picture: str = ""

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Plan":
        """The plan that a checkpoint holds."""
        return cls(tuple(state["asked"]), tuple(state["steps"]), state["from_picture"])

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`of` makes the plan of."""
        return {"asked": self.asked, "steps": self.steps, "from_picture": self.from_picture}


def first_plan(asked: Sequence[int]) -> Plan:
    """The plan of a run that begins."""
    return Plan(tuple(asked), tuple(asked))


def continued_plan(
    before: Plan, asked: Sequence[int], *, level: int, done: int, scheduled: bool, place: str
) -> Plan:
    """The plan of a run that goes on with another number of steps.

    Args:
        before: The plan so far.
        asked: The steps at each level that are asked for now.
        level: The level that the run is at.
        done: The steps that it has taken there.
        scheduled: Whether weights depend on how many steps there are.
        place: Names the checkpoint.

    Raises:
        CheckpointError: If the run has taken more steps already.
    """
    earlier = sum(before.steps[:level])
    if sum(asked) < earlier + done:
        raise CheckpointError(
            f"The checkpoint {place} has {earlier + done} steps behind it, and `num_steps` asks for "
            f"{sum(asked)} only. Ask for at least as many, or name another folder."
        )
    reason = before.from_picture
    if scheduled:
        reason = "the weights follow schedules, which depend on the number of steps"
    elif tuple(asked[:level]) != before.steps[:level] or asked[level] < done:
        reason = "levels that are over have another number of steps"
    if not reason:
        return Plan(tuple(asked), tuple(asked))
    # As many in all as are asked for.
    here = max(sum(asked[: level + 1]) - earlier, done)
    return Plan(tuple(asked), (*before.steps[:level], here, *asked[level + 1 :]), reason)
