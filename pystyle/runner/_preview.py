import logging
import os

from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.images import write_image
from pystyle.images._atomic import check_writable
from pystyle.runner._step import Step

_LOG = logging.getLogger("pystyle")


class Preview:
    """Writes the picture so far to a file every few steps.

    That the file can be written is found out after the first step. A disk that is full later costs previews,
    but no run: the logger ``pystyle`` says so.

    Args:
        path: The file, which is replaced each time; or a pattern with ``{step}``, which gives one
            file per preview.
        every: Steps between two previews.

    Attributes:
        failure: The error of the last preview that could not be written; None if all could.

    Raises:
        ValueError: If `every` is not positive.

    Example:
        >>> from pystyle.runner import Preview
        >>> preview = Preview("preview-{step}.png", every=50)
    """

    def __init__(self, path: str | os.PathLike[str], *, every: int = 50) -> None:
        self.path = os.fspath(path)
        self.every = whole_number(every, "`every`", least=1)
        self.failure: OSError | None = None
        self._checked = False

    def __call__(self, step: Step) -> None:
        """Write the picture if it is due.

        Raises:
            OSError: After the first step, if the file cannot be written.
        """
        path = self.path.replace("{step}", f"{step.index:05d}")
        if not self._checked:
            check_writable(path)
            self._checked = True
        if step.index % self.every == 0:
            try:
                write_image(self.picture(step), path)
            except OSError as error:
                self.failure = error
                _LOG.warning("The preview of step %d could not be written: %s", step.index, error)

    def picture(self, step: Step) -> Tensor:
        """What is written."""
        return step.image
