"""What carries the state of a run to its checkpoints and back."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from torch import Tensor

from pystyle.checkpoints import Checkpoints
from pystyle.criterion import Criterion
from pystyle.evaluation import Evaluation, Evaluator
from pystyle.evaluation._stored_targets import without_store
from pystyle.evaluation._workers import workers_of
from pystyle.runner._carry import carry_state
from pystyle.runner._factory import made_runner
from pystyle.runner._plan import Plan, continued_plan, first_plan
from pystyle.runner._result import Result
from pystyle.runner._runner import Runner
from pystyle.runner._signals import exit_on_signals
from pystyle.runner._snapshots import Snapshots
from pystyle.runner._step import Callback
from pystyle.runner._writer import writer_to
from pystyle.typing import References

_LOG = logging.getLogger("pystyle")
_HISTORY_BYTES = 80_000_000
"""With them the state at 1024 x 1024 pixels takes 126 MB, and 138 MB with an average."""


class Keeper:
    """A context in which a run writes checkpoints, and goes on from the last one if that is wanted.

    After each step it takes a copy of the state, so that whatever ends the run, the last accepted step can be
    written. In it no other run has the folder, and SIGTERM and SIGHUP raise ``SystemExit(128 + number)`` if
    nothing else handles them. An optimizer whose groups have an entry ``history_bytes`` without a value gets
    one, which keeps checkpoints small. Of processes that share an evaluation the first reads and writes for
    all.

    Args:
        checkpoint: Where, and how often; None for no checkpoints.
        resume: Whether to go on from a checkpoint; without one the run starts at its beginning.
        criteria: Encoder and losses of each level; of a run without levels one.
        callbacks: Those with `state_dict` and `load_state_dict` go on as well.
        arguments: All else that the result depends on, by name, without the number of steps.
        num_steps: The steps at each level; of a run without levels a single number. They may be others than
            those of the checkpoint, if it has not taken more.
        scheduled: Whether weights depend on how many steps there are.

    Attributes:
        num_steps: The steps at each level. Where a run goes on longer, they may be others, once entered, than
            what was asked for: what levels lack that are over is made up for at a later one.
        surroundings: Once entered, what :meth:`run` was given when the checkpoint was written; empty without
            one.

    Raises:
        CheckpointError: When entered, if the checkpoint is of another run or has more steps, all are damaged,
            or another run has the folder.
        ValueError: If there is no folder to go on from, or, when entered, there is a checkpoint and `resume`
            is false.

    Example:
        >>> import tempfile, torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.evaluation import EagerEvaluation
        >>> criterion = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()})
        >>> folder = tempfile.mkdtemp()
        >>> with Keeper(
        ...     folder, resume=False, criteria=[criterion], callbacks=[], arguments={}, num_steps=[3]
        ... ) as keeper:
        ...     evaluator = keeper.bind(EagerEvaluation(), {})
        ...     runner = keeper.make(lambda image: Runner(evaluator, image), torch.rand(1, 3, 8, 8))
        ...     result = keeper.run(runner, 3)
        >>> from pystyle.checkpoints import CheckpointFolder
        >>> CheckpointFolder(folder).steps()
        [0, 3]
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str] | Checkpoints | None,
        *,
        resume: bool,
        criteria: Sequence[Criterion],
        callbacks: Sequence[Callback],
        arguments: Mapping[str, Any],
        num_steps: Sequence[int],
        scheduled: bool = False,
    ) -> None:
        self._writer = writer_to(checkpoint, resume=resume)
        self.surroundings: dict[str, Any] = {}
        self._plan = first_plan(num_steps)
        self._scheduled = scheduled
        self._criteria = criteria
        self._resume = resume
        self._resumed: dict[str, Any] | None = None
        self._from_picture = False
        self._ending = ExitStack()
        if self._writer is None:
            return
        self._folder = self._writer.folder
        self._workers = workers_of(arguments.get("evaluation"))
        # Stored targets have the same bytes: a run may go on without them, or with those of another folder.
        depended_on = {name: without_store(value) for name, value in arguments.items()}
        self._snapshots = Snapshots(criteria, callbacks, depended_on)

    @property
    def num_steps(self) -> tuple[int, ...]:
        """The steps at each level."""
        return self._plan.steps

    def __enter__(self) -> Self:
        """Take the folder, handle signals, and find the checkpoint."""
        if self._writer is None:
            return self
        with ExitStack() as stack:
            stack.enter_context(exit_on_signals())
            take = partial(self._writer.take_folder, stack, resume=self._resume, check=self._snapshots.check)
            found = self._workers.from_first(take)
            if found is not None:
                self._writer.written, self._resumed = found
                self.surroundings = self._resumed["surroundings"]
                self._go_on(*found)
                self._snapshots.restore_callbacks(self._resumed)
            self._ending = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the last accepted step, and give the folder back."""
        with self._ending:
            if self._writer is not None:
                self._writer.write_last(retry=False)

    def bind(self, evaluation: Evaluation, references: References, *, level: int = 0) -> Evaluator:
        """Bind the criterion of a level; losses draw for their targets what they drew the first time."""
        if self._writer is not None:
            self._snapshots.before_binding(self._resumed)
        return evaluation.bind(self._criteria[level], references)

    def make(self, make: Callable[[Tensor], Runner], image: Tensor) -> Runner:
        """The runner of an image, in the state of the checkpoint if there is one.

        Args:
            make: Makes a runner of an image.
            image: What the run starts from.

        Raises:
            TypeError: If something else is made.
        """
        runner = self._made(make, image)
        if self._resumed is None:
            return runner
        state = self._resumed["runner"]
        runner.load_state_dict(state)
        if self._from_picture:
            before, runner = runner, self._made(make, runner.picture)
            carry_state(before.optimizer, runner.optimizer)
            iterate = {**runner.state_dict()["iterate"], "moved": state["iterate"]["moved"]}
            runner.load_state_dict({**state, "iterate": iterate})
        self._snapshots.before_running(self._resumed)
        self._resumed = None
        return runner

    def run(
        self, runner: Runner, num_steps: int, *, steps_before: int = 0, surroundings: Mapping[str, Any] = {}
    ) -> Result:
        """Run a runner that was made here, and write its checkpoints.

        Args:
            runner: The runner.
            num_steps: Its steps.
            steps_before: Those of runners before it.
            surroundings: What else is to be known when it goes on.
        """
        writer = self._writer
        if writer is None:
            return runner.run(num_steps, steps_before=steps_before)

        def keep(state: Mapping[str, Any]) -> None:
            snapshot = self._snapshots.take(state, surroundings, self._plan.state_dict())
            writer.keep(steps_before + state["step"], snapshot)

        result = runner.run(
            num_steps, steps_before=steps_before, keep=keep if self._workers.index == 0 else None
        )
        try:
            writer.write_last(retry=not result.failed)
        except KeyboardInterrupt:
            # A second one leaves at once; the first is one of the run, whose picture there is.
            if result.failed:
                raise
            result = replace(result, stop_reason="interrupted", failed=True)
        return result

    def _made(self, make: Callable[[Tensor], Runner], image: Tensor) -> Runner:
        runner = made_runner(make, image)
        if self._writer is not None:
            for group in runner.optimizer.param_groups:
                if group.get("history_bytes", 0) is None:
                    group["history_bytes"] = _HISTORY_BYTES
        return runner

    def _go_on(self, step: int, snapshot: dict[str, Any]) -> None:
        """Plan the rest of the run of a checkpoint, and say how it goes on."""
        place, before = self._folder.path, Plan.of(snapshot["plan"])
        if before.asked == self._plan.asked:
            self._plan = before
            _LOG.info("The run goes on after step %d, from '%s'.", step, place)
            return
        state = snapshot["runner"]
        self._plan = continued_plan(
            before,
            self._plan.asked,
            level=snapshot["surroundings"].get("level", 0),
            done=state["step"],
            scheduled=self._scheduled,
            place=f"of step {step} in '{place}'",
        )
        # More was asked for than what a callback has ended.
        snapshot["runner"] = {**state, "stop_reason": "", "stops_all_levels": False}
        self._from_picture = bool(self._plan.from_picture)
        total = sum(self._plan.steps)
        if self._from_picture:
            _LOG.warning(
                "The run goes on after step %d, from the picture in '%s', to step %d. It is not the run that "
                "was asked for %d steps at once, because %s.",
                step, place, total, total, self._plan.from_picture,
            )  # fmt: skip
        else:
            text = "The run goes on after step %d, from '%s', as if %d steps had been asked for at once."
            _LOG.info(text, step, place, total)
