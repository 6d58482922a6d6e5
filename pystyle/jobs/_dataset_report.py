from dataclasses import dataclass

from pystyle.jobs._entry import JobEntry


@dataclass(frozen=True)
class DatasetReport:
    """What became of the images of a dataset, which may be too many to be listed.

    Attributes:
        output: The address of the pictures.
        painted: How many images this call has painted.
        kept: How many pictures were there.
        failed: The images without a picture, now or in a call before.
        left_out: How many files beside them have no name of an image.

    Example:
        >>> print(DatasetReport("s3://bucket/pictures", painted=2, kept=1, failed=(), left_out=0))
        2 images painted, 1 done before, 0 failed; the pictures are in 's3://bucket/pictures'.
    """

    output: str
    painted: int
    kept: int
    failed: tuple[JobEntry, ...]
    left_out: int

    def __str__(self) -> str:
        """The numbers in a sentence."""
        others = f" {self.left_out} files were left out." if self.left_out else ""
        return (
            f"{self.painted} images painted, {self.kept} done before, {len(self.failed)} failed; the "
            f"pictures are in '{self.output}'.{others}"
        )
