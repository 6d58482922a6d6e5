import os
from dataclasses import dataclass

from pystyle._arguments import number, path_of, whole_number


@dataclass(frozen=True)
class Checkpoints:
    """Where a run keeps its state, and how often it is written.

    A run that is killed loses the steps since the last checkpoint; one that ends in any other way writes one
    more.

    Args:
        folder: A folder of the run's own; it is made if there is none. A relative one is below the folder in
            which the program is now.
        seconds: A checkpoint is written after the first step that ends so long after the last one.
        steps: Write one every so many steps instead.

    Raises:
        ValueError: If an interval is not positive.

    Example:
        >>> every = Checkpoints("run", steps=50)   # optimize_image(..., checkpoint=every)
        >>> every.folder.name, every.seconds, every.steps
        ('run', 60.0, 50)
    """

    folder: str | os.PathLike[str]
    seconds: float = 60.0
    steps: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", number(self.seconds, "`seconds`", least=0))
        if self.steps is not None:
            object.__setattr__(self, "steps", whole_number(self.steps, "`steps`", least=1))
        # A callback may move the program to another folder, of which the run has no lock.
        object.__setattr__(self, "folder", path_of(self.folder).absolute())

    def due(self, *, steps: int, seconds: float) -> bool:
        """Whether to write, so many steps and seconds after the last checkpoint."""
        return seconds >= self.seconds if self.steps is None else steps >= self.steps
