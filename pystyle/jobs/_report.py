from dataclasses import dataclass
from pathlib import Path

from pystyle.jobs._entry import JobEntry
from pystyle.jobs._items import LeftOut


@dataclass(frozen=True)
class JobReport:
    """What a job came to: one entry for each image.

    Attributes:
        output: The folder of the pictures, whose path is absolute.
        painted: The images that this call has painted.
        kept: Those whose pictures were there, or were painted by others at the same time.
        failed: Those without a picture, now or in a call before.
        left_out: Files in the folder of the images that are none, with the reasons. Hidden ones are not
            mentioned.

    Example:
        >>> from pathlib import Path
        >>> print(JobReport(Path("out"), painted=(), kept=(), failed=()))
        There was no image to paint.
    """

    output: Path
    painted: tuple[JobEntry, ...]
    kept: tuple[JobEntry, ...]
    failed: tuple[JobEntry, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there was no image at all."""
        return not (self.painted or self.kept or self.failed)

    def __str__(self) -> str:
        """The numbers in a sentence."""
        files = "file was" if len(self.left_out) == 1 else "files were"
        others = f" {len(self.left_out)} {files} left out." if self.left_out else ""
        if self.empty:
            return f"There was no image to paint.{others}"
        images = "image" if len(self.painted) == 1 else "images"
        return (
            f"{len(self.painted)} {images} painted, {len(self.kept)} were done before or by others, "
            f"{len(self.failed)} failed; the pictures are in '{self.output}'.{others}"
        )
