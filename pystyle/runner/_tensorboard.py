import os
from typing import TYPE_CHECKING, Any

from pystyle.runner._step import Step

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoardLogger:
    """Writes the terms of each step to a folder for TensorBoard. It needs the extra ``tensorboard``.

    Args:
        folder: The folder; each run has one of its own.

    Raises:
        ImportError: If TensorBoard is not installed.

    Example:
        >>> import tempfile
        >>> from pystyle.runner import TensorBoardLogger
        >>> logger = TensorBoardLogger(tempfile.mkdtemp())   # optimize_image(..., callbacks=[logger])
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "TensorBoardLogger needs the package tensorboard. Install it with "
                '`pip install "pystyle-nst[tensorboard]"`.'
            ) from error
        self.folder = os.path.expanduser(folder)
        self._writer: SummaryWriter | None = None
        self._last = 0
        self._hidden_from: int | None = None

    def __call__(self, step: Step) -> None:
        """Write the total and the terms of a step."""
        if self._writer is None:
            self._writer = self._opened()
        self._writer.add_scalar("total", float(step.terms.total), step.index)
        for name, term in {**step.terms, **step.signals}.items():
            self._writer.add_scalar(name.replace(".", "/", 1), float(term), step.index)
        self._last = step.index

    def close(self) -> None:
        """Write what is left."""
        writer, self._writer, self._last = self._writer, None, 0
        if writer is not None:
            writer.close()

    def state_dict(self) -> dict[str, Any]:
        """Up to which step was written, for a checkpoint."""
        return {"step": self._last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on behind the step of a checkpoint; what was written after it is hidden."""
        self._last = state["step"]
        self._hidden_from = self._last + 1

    def _opened(self) -> "SummaryWriter":
        from torch.utils.tensorboard import SummaryWriter

        hidden_from, self._hidden_from = self._hidden_from, None
        return SummaryWriter(self.folder, purge_step=hidden_from)
