import os
from typing import TYPE_CHECKING, Any

from pystyle._arguments import path_of
from pystyle.runner._step import Step

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoardLogger:
    """Writes the terms of each step to a folder for TensorBoard. It needs the extra ``tensorboard``.

    Args:
        folder: The folder; each run has one of its own. The steps of several runs with the same logger, such
            as the levels of a paper, are counted on.

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
        folder = os.fspath(folder)
        # It may be an address, such as "s3://bucket/runs".
        self.folder = folder if "://" in folder else os.fspath(path_of(folder).absolute())
        self._writer: SummaryWriter | None = None
        self._last = self._before = 0
        self._hidden_from: int | None = None

    def __call__(self, step: Step) -> None:
        """Write the total and the terms of a step."""
        if self._writer is None:
            self._writer = self._opened()
        self._last = self._before + step.index
        self._writer.add_scalar("total", float(step.terms.total), self._last)
        for name, term in {**step.terms, **step.signals}.items():
            self._writer.add_scalar(name.replace(".", "/", 1), float(term), self._last)

    def close(self) -> None:
        """Write what is left."""
        writer, self._writer, self._before = self._writer, None, self._last
        if writer is not None:
            writer.close()

    def state_dict(self) -> dict[str, Any]:
        """Up to which step was written, and how many were of runs before, for a checkpoint."""
        return {"step": self._last, "before": self._before}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on behind the step of a checkpoint; what was written after it is hidden."""
        self._last, self._before = state["step"], state.get("before", 0)
        self._hidden_from = self._last + 1

    def _opened(self) -> "SummaryWriter":
        from torch.utils.tensorboard import SummaryWriter

        hidden_from, self._hidden_from = self._hidden_from, None
        return SummaryWriter(self.folder, purge_step=hidden_from)
