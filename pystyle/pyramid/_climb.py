"""The run through the levels of a pyramid."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from torch import Tensor

from pystyle._wrapping import wrapping
from pystyle.criterion import Criterion
from pystyle.evaluation import Evaluation
from pystyle.images import resize
from pystyle.parametrizations import Parametrization
from pystyle.pyramid._level import Counted, Level, levels_of
from pystyle.pyramid._level_schedules import schedules_at
from pystyle.pyramid._references import level_size, resized_references
from pystyle.runner import (
    Callback,
    Keeper,
    Result,
    Runner,
    RunnerFactory,
    explained_memory_errors,
    initial_image,
)
from pystyle.runner._carry import carry_state
from pystyle.runner._checks import check_parametrization_wraps
from pystyle.typing import History, Init, OptimizerFactory, References, Schedule, Wrap


@dataclass(frozen=True, eq=False)
class LevelRunners:
    """Makes the runner of each level; the attributes are the arguments of :meth:`pystyle.Pyramid.optimize`.

    Attributes:
        criteria: Those of the levels that are run.
        wrap: That of the pyramid.
        scales: The size of each reference relative to that of the level.
        full_size: Height and width whose ratio all levels have.
        level_weights: Those of the levels that are run.
    """

    criteria: Sequence[Criterion]
    wrap: Wrap | None
    references: References
    scales: Mapping[str, float]
    full_size: tuple[int, int]
    optimizer: OptimizerFactory
    parametrization: Callable[[Tensor], Parametrization]
    bounds: tuple[float, float] | None
    averaging: float | None
    callbacks: Sequence[Callback]
    schedules: Mapping[str, Schedule]
    level_weights: Mapping[str, Sequence[float]]
    evaluation: Evaluation
    runner: RunnerFactory

    def arguments(self) -> dict[str, Any]:
        """What the picture depends on beside the criterion, by the names of the caller's arguments."""
        left_out = {"criteria", "scales", "full_size", "callbacks"}
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def first_image(self, init: Init, level: Level, seed: int | None) -> Tensor:
        """What the first level starts from."""
        return initial_image(
            self._size(level) if isinstance(init, tuple) else init,
            self._references(level),
            seed=seed,
        )

    def at(self, level: Level, image: Tensor, keeper: Keeper, seconds: float) -> Runner:
        """The runner of a level, from an image of any size; the levels before took so many seconds."""
        criterion, references = self.criteria[level.index], self._references(level)
        make = partial(
            self.runner,
            keeper.bind(self.evaluation, references, level=level.index),
            optimizer=self.optimizer,
            parametrization=self.parametrization,
            bounds=self.bounds,
            averaging=self.averaging,
            callbacks=[Counted(callback, level, seconds, self._terms) for callback in self.callbacks],
            schedules=schedules_at(level, self.schedules, self.level_weights),
        )
        runner = keeper.make(make, resize(image, self._size(level), wrap=self.wrap_at(level)))
        check_parametrization_wraps(runner.parametrization, criterion.wrap)
        return runner

    def wrap_at(self, level: Level) -> Wrap | None:
        """The sides along which what is resized for a level wraps."""
        return self.criteria[level.index].wrap or self.wrap

    def explained_memory_errors(self, level: Level) -> AbstractContextManager[None]:
        """The context in which a level is run."""
        criterion = self.criteria[level.index]
        return explained_memory_errors(criterion, self._size(level), self.optimizer, self.evaluation)

    @property
    def _terms(self) -> list[str]:
        """The names of the terms of all levels."""
        return list(dict.fromkeys(name for criterion in self.criteria for name in criterion.term_names))

    def _size(self, level: Level) -> tuple[int, int]:
        return level_size(self.full_size, level.edge_size, self.criteria[level.index])

    def _references(self, level: Level) -> References:
        return resized_references(
            self.references,
            level.edge_size,
            self.scales,
            aligned=self.criteria[level.index].aligned,
            size=self._size(level),
            wrap=self.wrap_at(level),
        )


def climb(edge_sizes: Sequence[int], runners: LevelRunners, keeper: Keeper, image: Tensor) -> Result:
    """Run one level after the other, or the rest of them if the keeper has a checkpoint.

    Returns:
        The result of the last level, with the history and the seconds of all.

    Raises:
        KeyboardInterrupt: At Ctrl-C before the steps of the first of them.
    """
    history: History = {}
    seconds, optimizer = 0.0, None
    result: Result | None = None
    try:
        with keeper:
            done: dict[str, Any] = {"level": 0, "history": {}, "seconds": 0.0, **keeper.surroundings}
            history, seconds = done["history"], done["seconds"]
            for level in levels_of(edge_sizes, keeper.num_steps)[done["level"] :]:
                with runners.explained_memory_errors(level):
                    runner = runners.at(level, image, keeper, seconds)
                    _check_goes_on(runner.parametrization, edge_sizes)
                    if optimizer is not None:
                        # What is remembered of pixels is resized as they are.
                        with wrapping(runners.wrap_at(level)):
                            carry_state(optimizer, runner.optimizer)
                        # Together they would take half as much again as one level.
                        del optimizer
                    before = {"level": level.index, "history": _copied(history), "seconds": seconds}
                    # A second Ctrl-C leaves at once, also from the picture of the level before.
                    result = None
                    result = keeper.run(
                        runner, level.num_steps, steps_before=level.steps_before, surroundings=before
                    )
                _extend(history, result.history, level, seconds)
                image, optimizer, seconds = result.image, runner.optimizer, seconds + result.seconds
                last = result.failed or runner.stops_all_levels
                del runner
                if last:
                    break
    except KeyboardInterrupt:
        # Between two levels; within one the runner takes it.
        if result is None:
            raise
        result = replace(result, stop_reason="interrupted", failed=True)
    # There is at least one level.
    return replace(cast(Result, result), history=history, seconds=seconds)


def _check_goes_on(parametrization: Parametrization, edge_sizes: Sequence[int]) -> None:
    """Refuse what would paint the picture of a level once more at the next one.

    Raises:
        ValueError: If it does not start with its image, and there are several levels.
    """
    if len(edge_sizes) > 1 and not parametrization.starts_with_image:
        raise ValueError(
            "`parametrization` must start with the image of the level before, which "
            f"{type(parametrization).__name__} does not, got a pyramid of {len(edge_sizes)} levels. Run a "
            "single level, or `optimize_image`."
        )


def _copied(history: History) -> History:
    return {name: list(column) for name, column in history.items()}


def _extend(history: History, rows: History, level: Level, seconds: float) -> None:
    """Add the rows of a level, with steps and seconds counted through all levels.

    Terms that are not computed at a level are 0 there.
    """
    columns = {
        **rows,
        "step": [step + level.steps_before for step in rows["step"]],
        "seconds": [second + seconds for second in rows["seconds"]],
        "edge_size": [level.edge_size] * len(rows["step"]),
    }
    before, added = len(history.get("step", [])), len(rows["step"])
    for name in dict.fromkeys([*history, *columns]):
        history.setdefault(name, [0.0] * before).extend(columns.get(name, [0.0] * added))
