"""What carries the state of a training to its checkpoints and back."""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from pystyle.checkpoints import CheckpointError, Checkpoints
from pystyle.criterion import Criterion
from pystyle.runner import Callback
from pystyle.runner._signals import exit_on_signals
from pystyle.runner._snapshots import Snapshots
from pystyle.runner._writer import writer_to
from pystyle.training._settings import factor_at
from pystyle.typing import Schedule

_LOG = logging.getLogger("pystyle")


class TrainingKeeper:
    """A context in which a training writes checkpoints, and goes on from the last one if that is wanted.

    Args:
        checkpoint: Where, and how often; None for no checkpoints.
        resume: Whether to go on from a checkpoint; without one the training starts at its beginning.
        criterion: Encoder and losses.
        callbacks: Those with `state_dict` and `load_state_dict` go on as well.
        arguments: All else that the result depends on, by name, without the number of steps.
        num_steps: How many steps there are. They may be others than those of the checkpoint, if it has not
            taken more.
        learning_rate: What the learning rate is multiplied by, from the fraction of these steps.

    Attributes:
        resumed: Once entered, the state to go on from; None without one.

    Raises:
        CheckpointError: When entered, if the checkpoint is of another training or has more steps, all are
            damaged, or another run has the folder.
        ValueError: If there is no folder to go on from, or, when entered, there is a checkpoint and `resume`
            is false.
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str] | Checkpoints | None,
        *,
        resume: bool,
        criterion: Criterion,
        callbacks: Sequence[Callback],
        arguments: Mapping[str, Any],
        num_steps: int,
        learning_rate: Schedule,
    ) -> None:
        self._num_steps, self._learning_rate = num_steps, learning_rate
        self.resumed: dict[str, Any] | None = None
        self._resume = resume
        self._ending = ExitStack()
        self._writer = writer_to(checkpoint, resume=resume)
        if self._writer is not None:
            self._snapshots = Snapshots([criterion], callbacks, arguments)

    def __enter__(self) -> Self:
        """Take the folder, handle signals, and find the checkpoint."""
        if self._writer is None:
            return self
        with ExitStack() as stack:
            stack.enter_context(exit_on_signals())
            found = self._writer.take_folder(stack, resume=self._resume, check=self._snapshots.check)
            if found is not None:
                step, snapshot = found
                self._snapshots.restore_callbacks(snapshot)
                self._snapshots.before_running(snapshot)
                self._writer.written, self.resumed = step, self._going_on(snapshot, self._writer.folder.path)
            self._ending = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Write the last accepted step, and give the folder back."""
        with self._ending:
            if self._writer is not None:
                self._writer.write_last(retry=False)

    def keep(self, step: int, state: Mapping[str, Any]) -> None:
        """Keep the state after a step, and write it if it is due."""
        if self._writer is not None:
            self._writer.keep(step, self._snapshots.take(state, {}, {"num_steps": self._num_steps}))

    def _going_on(self, snapshot: Mapping[str, Any], place: Path) -> dict[str, Any]:
        """The state to go on from, with a word on how it goes on.

        Raises:
            CheckpointError: If more steps were taken than are asked for.
        """
        state, now = snapshot["runner"], self._num_steps
        done = state["step"]
        if now < done:
            raise CheckpointError(
                f"The checkpoint in '{place}' has {done} steps behind it, and only {now} are asked for. Ask "
                "for at least as many, or name another folder."
            )
        if self._same_rates(done, snapshot["plan"]["num_steps"]):
            text = "The training goes on after step %d, from '%s', to step %d."
            _LOG.info(text, done, place, now)
        else:
            _LOG.warning(
                "The training goes on after step %d, from '%s', to step %d. It is not the one that was asked "
                "for %d steps at once, because the learning rate follows the number of steps.",
                done, place, now, now,
            )  # fmt: skip
        # A callback that wants to stop again says so again.
        return {**state, "stop_reason": ""} if done < now else state

    def _same_rates(self, done: int, num_steps: int) -> bool:
        """Whether the steps so far, of so many, had the learning rates that they would have now."""
        return num_steps == self._num_steps or all(
            factor_at(self._learning_rate, step, num_steps)
            == factor_at(self._learning_rate, step, self._num_steps)
            for step in range(done)
        )
