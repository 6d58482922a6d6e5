"""What carries the state of a training to its checkpoints and back."""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self

from pystyle.checkpoints import Checkpoints
from pystyle.criterion import Criterion
from pystyle.runner import Callback
from pystyle.runner._signals import exit_on_signals
from pystyle.runner._snapshots import Snapshots
from pystyle.runner._writer import writer_to

_LOG = logging.getLogger("pystyle")


class TrainingKeeper:
    """A context in which a training writes checkpoints, and goes on from the last one if that is wanted.

    Args:
        checkpoint: Where, and how often; None for no checkpoints.
        resume: Whether to go on from a checkpoint; without one the training starts at its beginning.
        criterion: Encoder and losses.
        callbacks: Those with `state_dict` and `load_state_dict` go on as well.
        arguments: All else that the result depends on, by name.

    Attributes:
        resumed: Once entered, the state to go on from; None without one.

    Raises:
        CheckpointError: When entered, if the checkpoint is of another training, all are damaged, or another
            run has the folder.
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
    ) -> None:
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
                self._writer.written, self.resumed = step, snapshot["runner"]
                _LOG.info("The training goes on after step %d, from '%s'.", step, self._writer.folder.path)
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
            self._writer.keep(step, self._snapshots.take(state, {}, {}))
