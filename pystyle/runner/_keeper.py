"""What carries the state of a run to its checkpoints and back."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Self

from torch import Tensor

from pystyle.checkpoints import (
    CheckpointError,
    CheckpointFolder,
    Checkpoints,
    describe,
    differences,
    environment,
)
from pystyle.criterion import Criterion
from pystyle.evaluation import Evaluation, Evaluator
from pystyle.runner._result import Result
from pystyle.runner._runner import Runner
from pystyle.runner._sigterm import exit_on_sigterm
from pystyle.runner._step import Callback
from pystyle.typing import References

_LOG = logging.getLogger("pystyle")
_HISTORY_BYTES = 80_000_000
"""With them the state at 1024 x 1024 pixels takes 126 MB, and 138 MB with an average."""


class Keeper:
    """A context in which a run writes checkpoints, and goes on from the last one if that is wanted.

    After each step it takes a copy of the state, so that whatever ends the run, the last accepted step can be
    written. SIGTERM ends the run by ``SystemExit(143)`` if nothing else handles it. An optimizer whose groups
    have an entry ``history_bytes`` without a value gets one, which keeps checkpoints small.

    Args:
        checkpoint: Where, and how often; None for no checkpoints.
        resume: Whether to go on from a checkpoint; without one the run starts at its beginning.
        criterion: Encoder and losses.
        callbacks: Those with `state_dict` and `load_state_dict` go on as well.
        arguments: All else that the result depends on, by name.

    Attributes:
        surroundings: What :meth:`run` was given when the checkpoint was written; empty without one.

    Raises:
        CheckpointError: If the checkpoint is of another run, or all are damaged.
        ValueError: If there is a checkpoint and `resume` is false, or no folder to go on from.

    Example:
        >>> import tempfile, torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.evaluation import EagerEvaluation
        >>> criterion = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()})
        >>> folder = tempfile.mkdtemp()
        >>> with Keeper(folder, resume=False, criterion=criterion, callbacks=[], arguments={}) as keeper:
        ...     runner = Runner(keeper.bind(EagerEvaluation(), {}), torch.rand(1, 3, 8, 8))
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
        self._callbacks = callbacks
        self._resumed: dict[str, Any] | None = None
        self._bound: list[Tensor] = []
        self._latest: tuple[int, dict[str, Any]] | None = None
        self._written: int | None = None
        self._interrupted = False
        self._time = time.perf_counter()
        if checkpoint is None:
            self._checkpoints = None
            return
        self._checkpoints = checkpoint if isinstance(checkpoint, Checkpoints) else Checkpoints(checkpoint)
        self._folder = CheckpointFolder(self._checkpoints.folder)
        self._arguments = describe(criterion=criterion, **arguments)
        device = next((str(parameter.device) for parameter in criterion.parameters()), "cpu")
        self._environment = {**environment(), "device": device}
        self._folder.clean()
        if self._folder.steps() and not resume:
            raise ValueError(
                f"`checkpoint` is the folder '{self._folder.path}', which has the checkpoints of a run. "
                "Go on with `resume=True`, or name another folder."
            )
        self._find()

    def __enter__(self) -> Self:
        """Handle SIGTERM."""
        self._sigterm = nullcontext() if self._checkpoints is None else exit_on_sigterm()
        self._sigterm.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the last accepted step."""
        try:
            if self._latest is not None and self._written not in (None, self._latest[0]):
                self._write_last(retry=kind is None and not self._interrupted)
        finally:
            self._sigterm.__exit__(None, None, None)

    def bind(self, evaluation: Evaluation, references: References) -> Evaluator:
        """Bind the criterion; what losses draw for their targets is what they drew the first time."""
        if self._resumed is not None:
            self._set_generators(self._resumed["generators when bound"])
        self._bound = self._generators()
        return evaluation.bind(self._criterion, references)

    def run(
        self, runner: Runner, num_steps: int, *, steps_before: int = 0, surroundings: Mapping[str, Any] = {}
    ) -> Result:
        """Run the runner, from the state of the checkpoint if there is one.

        Args:
            runner: The runner.
            num_steps: Its steps.
            steps_before: Those of runners before it.
            surroundings: What else is to be known when it goes on.
        """
        if self._checkpoints is None:
            return runner.run(num_steps)
        for group in runner.optimizer.param_groups:
            if group.get("history_bytes", 0) is None:
                group["history_bytes"] = _HISTORY_BYTES
        if self._resumed is not None:
            runner.load_state_dict(self._resumed["runner"])
            self._set_generators(self._resumed["generators"])
            self._resumed = None

        def keep(state: Mapping[str, Any]) -> None:
            self._keep(steps_before + state["step"], state, surroundings)

        result = runner.run(num_steps, keep=keep)
        self._interrupted = result.failed
        return result

    def _find(self) -> None:
        found = self._folder.newest()
        if found is None:
            return
        step, state = found
        changed = differences(state["arguments"], self._arguments)
        if changed:
            more = f", and {len(changed) - 3} more" if len(changed) > 3 else ""
            raise CheckpointError(
                f"The checkpoint of step {step} in '{self._folder.path}' is of another run: "
                f"{'; '.join(changed[:3])}{more}. Give the arguments of that run, or name another folder."
            )
        other = differences(state["environment"], self._environment)
        if other:
            _LOG.warning("The run goes on elsewhere, and its bytes may differ: %s.", "; ".join(other))
        for name, callback in self._stateful():
            if name in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][name])
        _LOG.info("The run goes on after step %d, from '%s'.", step, self._folder.path)
        self.surroundings, self._resumed, self._written = state["surroundings"], state, step

    def _keep(self, step: int, state: Mapping[str, Any], surroundings: Mapping[str, Any]) -> None:
        snapshot = {
            "arguments": self._arguments,
            "environment": self._environment,
            "surroundings": surroundings,
            "runner": _copied(state),
            "generators": self._generators(),
            "generators when bound": self._bound,
            "callbacks": {name: callback.state_dict() for name, callback in self._stateful()},
        }
        self._latest = step, snapshot
        if self._written is None:
            # Whether a checkpoint can be written at all is better known now than after an hour.
            self._write(give_up=True)
            return
        assert self._checkpoints is not None
        passed = time.perf_counter() - self._time
        if self._checkpoints.due(steps=step - self._written, seconds=passed) and step != self._written:
            self._write()

    def _write(self, *, give_up: bool = False) -> None:
        assert self._latest is not None
        step, state = self._latest
        try:
            self._folder.write(step, state)
            self._written = step
        except OSError as error:
            if give_up:
                raise
            _LOG.warning("The checkpoint of step %d could not be written: %s", step, error)
        self._time = time.perf_counter()

    def _write_last(self, *, retry: bool) -> None:
        try:
            self._write()
        except (KeyboardInterrupt, SystemExit):
            # The first signal of the run came while its end was written. A second one leaves at once.
            if retry:
                self._write()
            raise

    def _generators(self) -> list[Tensor]:
        losses = self._criterion.named_losses.values()
        return [generator.get_state() for loss in losses for generator in loss.generators()]

    def _set_generators(self, states: Sequence[Tensor]) -> None:
        losses = self._criterion.named_losses.values()
        generators = [generator for loss in losses for generator in loss.generators()]
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)

    def _stateful(self) -> list[tuple[str, Any]]:
        """The callbacks that have a state, by their classes and a number."""
        found: list[tuple[str, Any]] = []
        for callback in self._callbacks:
            inner: Any = callback
            while not hasattr(inner, "load_state_dict") and hasattr(inner, "callback"):
                inner = inner.callback
            if hasattr(inner, "load_state_dict") and hasattr(inner, "state_dict"):
                kind = type(inner).__qualname__
                number = sum(name.startswith(f"{kind} ") for name, _ in found)
                found.append((f"{kind} {number}", inner))
        return found


def _copied(value: Any) -> Any:
    """The value with copies of its tensors, which go on changing."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_copied(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value
