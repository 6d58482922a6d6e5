import logging
import os

from torch import Tensor

from pystyle._arguments import path_of, whole_number
from pystyle.images import write_image
from pystyle.images._atomic import check_writable
from pystyle.images._write import format_of_extension
from pystyle.runner._step import Step

_LOG = logging.getLogger("pystyle")


class Preview:
    """Writes the picture so far to a file every few steps.

    That the file can be written, and that there is one picture to write, is found out after the first step. A
    disk that is full later costs previews, but no run: the logger ``pystyle`` says so.

    Args:
        path: The file, which is replaced each time; or a pattern with ``{step}``, which gives one
            file per preview.
        every: Steps between two previews.

    Attributes:
        failure: The error of the last preview that could not be written; None if all could.

    Raises:
        ValueError: If `every` is not positive, or the extension of `path` is none of an image that can be
            written.

    Example:
        >>> from pystyle.runner import Preview
        >>> preview = Preview("preview-{step}.png", every=50)
    """

    def __init__(self, path: str | os.PathLike[str], *, every: int = 50) -> None:
        # Callbacks may move the program to another folder.
        self.path = os.fspath(path_of(path).absolute())
        self.every = whole_number(every, "`every`", least=1)
        format_of_extension(self.path, "`path`")
        self.failure: OSError | None = None
        self._checked = False

    def __call__(self, step: Step) -> None:
        """Write the picture if it is due.

        Raises:
            OSError: After the first step, if the file cannot be written.
            ValueError: After the first step, if the pictures are several, of a batch.
        """
        path, due = self.path.replace("{step}", f"{step.index:05d}"), step.index % self.every == 0
        if self._checked and not due:
            return
        picture = self.picture(step)
        if not self._checked:
            check_writable(path)
            _check_single(picture)
            self._checked = True
        if due:
            try:
                write_image(picture, path)
            except OSError as error:
                self.failure = error
                _LOG.warning("The preview of step %d could not be written: %s", step.index, error)

    def picture(self, step: Step) -> Tensor:
        """What is written."""
        return step.image


def _check_single(picture: Tensor) -> None:
    if picture.ndim == 4 and len(picture) != 1:
        raise ValueError(
            f"`Preview` writes one picture, got a batch of {len(picture)}. Take them one by one, or write a "
            "callback that takes those of `step.image` apart."
        )
