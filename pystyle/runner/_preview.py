import os

from pystyle._arguments import whole_number
from pystyle.images import write_image
from pystyle.runner._step import Step


class Preview:
    """Writes the picture so far to a file every few steps.

    Args:
        path: The file, which is replaced each time; or a pattern with ``{step}``, which gives one
            file per preview.
        every: Steps between two previews.

    Raises:
        ValueError: If `every` is not positive.

    Example:
        >>> from pystyle.runner import Preview
        >>> preview = Preview("preview-{step}.png", every=50)
    """

    def __init__(self, path: str | os.PathLike[str], *, every: int = 50) -> None:
        self.path = os.fspath(path)
        self.every = whole_number(every, "`every`", least=1)

    def __call__(self, step: Step) -> None:
        """Write the picture if it is due."""
        if step.index % self.every == 0:
            write_image(step.image, self.path.replace("{step}", f"{step.index:05d}"))
