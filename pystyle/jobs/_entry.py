from dataclasses import dataclass


@dataclass(frozen=True)
class JobEntry:
    """What became of one image: a line of the manifest of a job.

    Attributes:
        input: The path of the image, relative to the folder of the job, with slashes.
        output: The path of its picture, relative to the folder of the pictures.
        input_sha256: Of the file that was read; None if it could not be read at all.
        output_sha256: Of the file that was written; None if it failed.
        error: What went wrong, in a sentence; None if the picture is there.
        seconds: How long it took.
        configuration: The hash of the recipe, the styles and how pictures are encoded.
        run: Which call did it, of those that worked in the folder.
        threads: With how many threads, on which the last bits of a picture may depend.

    Example:
        >>> print(JobEntry("a.jpg", "a.png", "3f..", None, "It is damaged.", 0.1, "c4..", "77..", 1))
        a.jpg failed: It is damaged.
    """

    input: str
    output: str
    input_sha256: str | None
    output_sha256: str | None
    error: str | None
    seconds: float
    configuration: str
    run: str
    threads: int

    @property
    def failed(self) -> bool:
        """Whether there is no picture."""
        return self.error is not None

    def __str__(self) -> str:
        """The fact in a line."""
        if self.error is not None:
            return f"{self.input} failed: {self.error}"
        return f"{self.input} is painted in {self.output}, {self.seconds:.1f} s"
