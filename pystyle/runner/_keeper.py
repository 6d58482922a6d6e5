"""What carries the state of a run to its checkpoints and back."""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self

from torch import Tensor

from pystyle.checkpoints import CheckpointFolder, Checkpoints
from pystyle.criterion import Criterion
from pystyle.evaluation import Evaluation, Evaluator
from pystyle.evaluation._workers import workers_of
from pystyle.runner._result import Result
from pystyle.runner._runner import Runner
from pystyle.runner._signals import exit_on_signals
from pystyle.runner._snapshots import Snapshots
from pystyle.runner._step import Callback
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
        criterion: Encoder and losses.
        callbacks: Those with `state_dict` and `load_state_dict` go on as well.
        arguments: All else that the result depends on, by name.

    Attributes:
        surroundings: Once entered, what :meth:`run` was given when the checkpoint was written; empty without
            one.

    Raises:
        CheckpointError: When entered, if the checkpoint is of another run, all are damaged, or another run
            has the folder.
        ValueError: If there is no folder to go on from, or, when entered, there is a checkpoint and `resume`
            is false.

    Example:
        >>> import tempfile, torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.evaluation import EagerEvaluation
        >>> criterion = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()})
        >>> folder = tempfile.mkdtemp()
        >>> with Keeper(folder, resume=False, criterion=criterion, callbacks=[], arguments={}) as keeper:
        ...     evaluator = keeper.bind(EagerEvaluation(), {})
        ...     runner = keeper.make(lambda image: Runner(evaluator, image), torch.rand(1, 3, 8, 8))
        ...     result = keeper.run(runner, 3)
        >>> CheckpointFolder(folder).steps()
        [0, 3]
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str] | Checkpoints | None,
        *,
        resume: bool,
        criterion: Criterion,
        callbacks: Sequence[Callback],
        arguments: Mapping[str, Any],
    ) -> None:
        if resume and checkpoint is None:
            raise ValueError("`resume` needs a folder with checkpoints. Give `checkpoint` as well.")
        self.surroundings: dict[str, Any] = {}
        self._criterion = criterion
        self._resume = resume
        self._resumed: dict[str, Any] | None = None
        self._latest: tuple[int, dict[str, Any]] | None = None
        self._written: int | None = None
        self._ending = ExitStack()
        self._checkpoints: Checkpoints | None = None
        if checkpoint is None:
            return
        self._checkpoints = checkpoint if isinstance(checkpoint, Checkpoints) else Checkpoints(checkpoint)
        self._folder = CheckpointFolder(self._checkpoints.folder)
        self._due = self._checkpoints.due
        self._snapshots = Snapshots(criterion, callbacks, arguments)
        self._workers = workers_of(arguments.get("evaluation"))
        self._time = time.perf_counter()

    def __enter__(self) -> Self:
        """Take the folder, handle signals, and find the checkpoint."""
        if self._checkpoints is None:
            return self
        with ExitStack() as stack:
            stack.enter_context(exit_on_signals())
            found = self._workers.from_first(partial(self._take, stack))
            if found is not None:
                step, snapshot = found
                self._snapshots.restore_callbacks(snapshot)
                _LOG.info("The run goes on after step %d, from '%s'.", step, self._folder.path)
                self.surroundings, self._resumed, self._written = snapshot["surroundings"], snapshot, step
            self._ending = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the last accepted step, and give the folder back."""
        with self._ending:
            self._write_last(retry=False)

    def bind(self, evaluation: Evaluation, references: References) -> Evaluator:
        """Bind the criterion; what losses draw for their targets is what they drew the first time."""
        if self._checkpoints is not None:
            self._snapshots.before_binding(self._resumed)
        return evaluation.bind(self._criterion, references)

    def make(self, make: Callable[[Tensor], Runner], image: Tensor) -> Runner:
        """The runner of an image, in the state of the checkpoint if there is one.

        Args:
            make: Makes a runner of an image.
            image: What the run starts from.

        Raises:
            TypeError: If something else is made.
        """
        runner = make(image)
        if not isinstance(runner, Runner):
            raise TypeError(
                f"`runner` must make a `pystyle.Runner`, got a {type(runner).__name__}. Give a subclass of "
                "it, or a function with its arguments that returns one."
            )
        if self._checkpoints is None:
            return runner
        for group in runner.optimizer.param_groups:
            if group.get("history_bytes", 0) is None:
                group["history_bytes"] = _HISTORY_BYTES
        if self._resumed is not None:
            runner.load_state_dict(self._resumed["runner"])
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
        if self._checkpoints is None:
            return runner.run(num_steps, steps_before=steps_before)

        def keep(state: Mapping[str, Any]) -> None:
            self._keep(steps_before + state["step"], self._snapshots.take(state, surroundings))

        result = runner.run(
            num_steps, steps_before=steps_before, keep=keep if self._workers.index == 0 else None
        )
        self._write_last(retry=not result.failed)
        return result

    def _take(self, stack: ExitStack) -> tuple[int, dict[str, Any]] | None:
        stack.enter_context(self._folder.locked())
        self._folder.clean()
        if self._folder.steps() and not self._resume:
            raise ValueError(
                f"`checkpoint` is the folder '{self._folder.path}', which has the checkpoints of a run. "
                "Go on with `resume=True`, or name another folder."
            )
        found = self._folder.newest()
        if found is not None:
            self._snapshots.check(found[1], f"of step {found[0]} in '{self._folder.path}'")
        return found

    def _keep(self, step: int, snapshot: dict[str, Any]) -> None:
        self._latest = step, snapshot
        if self._written is None:
            # Whether a checkpoint can be written at all is better known now than after an hour.
            self._write(step, snapshot, give_up=True)
            return
        passed = time.perf_counter() - self._time
        if self._due(steps=step - self._written, seconds=passed) and step != self._written:
            self._write(step, snapshot)

    def _write(self, step: int, snapshot: dict[str, Any], *, give_up: bool = False) -> None:
        try:
            self._folder.write(step, snapshot)
            self._written = step
        except OSError as error:
            if give_up:
                raise
            _LOG.warning("The checkpoint of step %d could not be written: %s", step, error)
        self._time = time.perf_counter()

    def _write_last(self, *, retry: bool) -> None:
        if self._latest is None or self._written in (None, self._latest[0]):
            return
        try:
            self._write(*self._latest)
        except (KeyboardInterrupt, SystemExit):
            # The first signal of the run came while its end was written. A second one leaves at once.
            if retry:
                self._write(*self._latest)
            raise
        finally:
            self._latest = None
