"""A job of optimisation: its files, and what is known of it."""

import json
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pystyle.images._atomic import replace_file
from pystyle.serving._problem import ProblemError

OVER = ("finished", "failed", "cancelled")
_KEPT = ("step", "loss", "seconds", "stop_reason", "problem", "ended")
_REQUEST, _STATE, _RESULT, _RUN, _CONTENT = "request.json", "state.json", "result.png", "run", "content"


@dataclass(frozen=True)
class JobRequest:
    """What a client asks for.

    Args:
        size: The short edge of the picture, or "original".
        num_steps: Steps of all levels together.
        strength: How much the style counts.
        weights: How much each of several styles counts.
        colors: Whose colours the picture has.
        created: When, in seconds since 1970.
    """

    size: int | str
    num_steps: int
    strength: float
    weights: Sequence[float]
    colors: str
    created: float = field(default_factory=time.time)


@dataclass(eq=False)
class Job:
    """A job.

    Attributes:
        folder: Its files. Its name is the id, which nobody can guess.
        request: What is asked for.
        state: "waiting", "running", or one of :data:`OVER`.
        step: Steps so far.
        loss: The total before the last step.
        seconds: Of the steps so far.
        preview: The picture so far as a small JPEG.
        stop_reason: Why it ended.
        problem: What went wrong, as a document.
        ended: When it was over, in seconds since 1970.
        is_cancelled: Whether it is to end.
        version: Grows with each change.
    """

    folder: Path
    request: JobRequest
    state: str = "waiting"
    step: int = 0
    loss: float | None = None
    seconds: float = 0.0
    preview: bytes = b""
    stop_reason: str | None = None
    problem: dict[str, object] | None = None
    ended: float | None = None
    is_cancelled: bool = False
    version: int = 0

    @classmethod
    def new(cls, folder: Path, request: JobRequest, content: bytes, styles: Sequence[bytes]) -> "Job":
        """A job whose files are on the disk, all or none.

        Raises:
            OSError: If they cannot be written.
        """
        name = secrets.token_hex(32)
        unfinished = folder / f".{name}"
        try:
            unfinished.mkdir(mode=0o700)
            replace_file(unfinished / _CONTENT, content)
            for index, style in enumerate(styles):
                replace_file(unfinished / f"style-{index}", style)
            replace_file(unfinished / _REQUEST, json.dumps(asdict(request)).encode(), kind="request")
            unfinished.rename(folder / name)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        return cls(folder / name, request)

    @classmethod
    def found(cls, folder: Path) -> "Job":
        """The job in a folder.

        Raises:
            ValueError: If its files are damaged.
            TypeError: If they are of another version.
            OSError: If they cannot be read.
        """
        job = cls(folder, JobRequest(**json.loads((folder / _REQUEST).read_bytes())))
        if (folder / _STATE).is_file():
            for name, value in json.loads((folder / _STATE).read_bytes()).items():
                setattr(job, name, value)
        return job

    @property
    def content(self) -> bytes:
        """The file of the photograph."""
        return (self.folder / _CONTENT).read_bytes()

    @property
    def styles(self) -> list[bytes]:
        """The files of the styles."""
        return [(self.folder / f"style-{index}").read_bytes() for index in range(len(self.request.weights))]

    @property
    def run_folder(self) -> Path:
        """Where the state of the run is kept."""
        return self.folder / _RUN

    @property
    def result(self) -> bytes:
        """The picture, as PNG.

        Raises:
            ProblemError: If there is none.
        """
        try:
            return (self.folder / _RESULT).read_bytes()
        except FileNotFoundError:
            raise ProblemError(
                409, f"The job is {self.state} and has no picture.", {"Retry-After": "1"}
            ) from None

    def end(self, state: str, reason: str | None, *, picture: bytes = b"", problem: Any = None) -> None:
        """Write down how it ended, and forget what only a run needs.

        Raises:
            OSError: If it cannot be written.
        """
        if picture:
            replace_file(self.folder / _RESULT, picture)
        self.stop_reason, self.problem, self.ended = reason, problem, time.time()
        kept = {name: getattr(self, name) for name in _KEPT}
        replace_file(self.folder / _STATE, json.dumps({**kept, "state": state}).encode(), kind="state")
        shutil.rmtree(self.run_folder, ignore_errors=True)
        for path in (self.folder / _CONTENT, *self.folder.glob("style-*")):
            path.unlink(missing_ok=True)
        self.state = state
        self.version += 1

    def remove(self) -> None:
        """Remove all of its files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def facts(self) -> dict[str, object]:
        """What a client is told."""
        return {
            "id": self.folder.name,
            "state": self.state,
            "step": self.step,
            "num_steps": self.request.num_steps,
            "loss": self.loss,
            "seconds": round(self.seconds, 3),
            "stop_reason": self.stop_reason,
            "problem": self.problem,
        }
