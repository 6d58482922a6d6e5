from dataclasses import dataclass
from pathlib import Path

from pystyle.jobs._entry import JobEntry


@dataclass(frozen=True)
class JobReport:
    """What a job came to: one entry for each image.

    Attributes:
        output: The folder of the pictures.
        painted: The images that this call has painted.
        kept: Those whose pictures were there, or were painted by others at the same time.
        failed: Those without a picture, now or in a call before.

    Example:
        >>> from pathlib import Path
        >>> print(JobReport(Path("out"), painted=(), kept=(), failed=()))
        0 images painted, 0 were done before or by others, 0 failed; the pictures are in 'out'.
    """

    output: Path
    painted: tuple[JobEntry, ...]
    kept: tuple[JobEntry, ...]
    failed: tuple[JobEntry, ...]

    def __str__(self) -> str:
        """The numbers in a sentence."""
        images = "image" if len(self.painted) == 1 else "images"
        return (
            f"{len(self.painted)} {images} painted, {len(self.kept)} were done before or by others, "
            f"{len(self.failed)} failed; the pictures are in '{self.output}'."
        )
