"""One level of a pyramid, and callbacks that count through all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pystyle.runner import Callback, Step
from pystyle.runner._step import show


@dataclass(frozen=True)
class Level:
    """One level, and where it stands in the whole run.

    Attributes:
        index: Its number, starting with 0.
        edge_size: The short edge of the image in pixels.
        num_steps: Steps at this level.
        steps_before: Steps at the levels before.
        all_steps: Steps at all levels.
        work_before: Share of the work that is done at the levels before, from 0 to 1.
        work: Share of the work of this level.
    """

    index: int
    edge_size: int
    num_steps: int
    steps_before: int
    all_steps: int
    work_before: float
    work: float


def levels_of(edge_sizes: Sequence[int], num_steps: Sequence[int]) -> list[Level]:
    """The levels of these sizes; the work of a step is taken to be the number of its pixels."""
    works = [size**2 * steps for size, steps in zip(edge_sizes, num_steps, strict=True)]
    all_work, all_steps = max(sum(works), 1), sum(num_steps)
    return [
        Level(
            index,
            edge_sizes[index],
            num_steps[index],
            steps_before=sum(num_steps[:index]),
            all_steps=all_steps,
            work_before=sum(works[:index]) / all_work,
            work=works[index] / all_work,
        )
        for index in range(len(edge_sizes))
    ]


class Counted:
    """A callback that sees the steps of a level as steps of the whole run.

    Args:
        callback: What is called.
        level: The level.
        seconds: Time that the levels before took.
        terms: The names of the terms of all levels, which come first. Those that are not computed at this
            one are 0.
    """

    def __init__(self, callback: Callback, level: Level, seconds: float, terms: Sequence[str]) -> None:
        self.callback = callback
        self.level = level
        self.seconds = seconds
        self.terms = terms

    def __call__(self, step: Step) -> None:
        """Call the callback with the step as one of the whole run."""
        counted = Step(
            step.index + self.level.steps_before,
            self.level.all_steps,
            step.terms.with_zeros(dict.fromkeys([*self.terms, *step.terms])),
            step.seconds + self.seconds,
            lambda: step.image,
            level=self.level.index,
            fraction=self.level.work_before + self.level.work * step.fraction,
        )
        show(self.callback, counted, step)
