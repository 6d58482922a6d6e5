"""The callbacks that come with the library. Any function of a step is one."""

import csv
import json
import os
import sys
from io import TextIOWrapper
from typing import Any

from pystyle.images import write_image
from pystyle.runner._step import Step


class ProgressBar:
    """A bar with the loss and the time left: that of tqdm where it is installed, else plain lines.

    Args:
        description: Stands in front of the bar.

    Example:
        >>> from pystyle.runner import ProgressBar
        >>> progress = ProgressBar("512 px")   # optimize_image(..., callbacks=[progress])
    """

    def __init__(self, description: str = "") -> None:
        self.description = description
        self._bar: Any = None
        self._printed = 0.0

    def __call__(self, step: Step) -> None:
        """Show the step."""
        try:
            from tqdm import tqdm
        except ImportError:
            self._print(step)
            return
        if self._bar is None:
            # The time left of tqdm takes all steps for equally long, which those of a pyramid are not.
            form = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
            description = f"{self.description}: " if self.description else ""
            self._bar = tqdm(total=step.num_steps, desc=description, bar_format=form, file=sys.stderr)
        left = tqdm.format_interval(step.seconds_left)
        self._bar.set_postfix_str(f"{left} left, loss {float(step.terms.total):.4g}", refresh=False)
        self._bar.update(step.index - self._bar.n)

    def close(self) -> None:
        """Finish the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._printed = 0.0

    def _print(self, step: Step) -> None:
        if step.index < step.num_steps and step.seconds - self._printed < 2:
            return
        self._printed = step.seconds
        text = f"step {step.index}/{step.num_steps}, {step.seconds_left:.0f} s left"
        text = f"{text}, loss {float(step.terms.total):.4g}"
        print(f"{self.description} {text}".strip(), file=sys.stderr, flush=True)


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
        if every < 1:
            raise ValueError(f"`every` must be at least 1, got {every}.")
        self.path = os.fspath(path)
        self.every = every

    def __call__(self, step: Step) -> None:
        """Write the picture if it is due."""
        if step.index % self.every == 0:
            write_image(step.image, self.path.replace("{step}", f"{step.index:05d}"))


class _Logger:
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self._stream: TextIOWrapper | None = None

    def __call__(self, step: Step) -> None:
        """Write one row and flush it."""
        first = self._stream is None
        if self._stream is None:
            self._stream = open(self.path, "w", newline="", encoding="utf-8")  # noqa: SIM115
        row = {"step": step.index, "seconds": round(step.seconds, 3), "total": float(step.terms.total)}
        row.update({name: float(term) for name, term in step.terms.items()})
        self._write(self._stream, row, first)
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        raise NotImplementedError


class CSVLogger(_Logger):
    """Writes the terms of each step to a CSV file.

    Args:
        path: The file; it is replaced.

    Example:
        >>> from pystyle.runner import CSVLogger
        >>> logger = CSVLogger("run.csv")   # optimize_image(..., callbacks=[logger])
    """

    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        writer = csv.DictWriter(stream, row)
        if first:
            writer.writeheader()
        writer.writerow(row)


class JSONLogger(_Logger):
    """Writes the terms of each step to a file of JSON lines.

    Args:
        path: The file; it is replaced.

    Example:
        >>> from pystyle.runner import JSONLogger
        >>> logger = JSONLogger("run.jsonl")
    """

    def _write(self, stream: TextIOWrapper, row: dict[str, float], first: bool) -> None:
        del first
        stream.write(json.dumps(row) + "\n")


class StopOnPlateau:
    """Ends the run when the loss has stopped to fall.

    Args:
        patience: Steps over which the fall is measured.
        tolerance: The run goes on while the loss falls by more than this fraction in these steps.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from pystyle.runner import StopOnPlateau
        >>> stop = StopOnPlateau(patience=50, tolerance=1e-3)
    """

    def __init__(self, *, patience: int = 50, tolerance: float = 1e-3) -> None:
        if patience < 1 or tolerance < 0:
            raise ValueError(
                f"`patience` must be at least 1 and `tolerance` not negative, got {patience} and {tolerance}."
            )
        self.patience = patience
        self.tolerance = tolerance
        self._losses: list[float] = []
        self._level = 0

    def __call__(self, step: Step) -> None:
        """Compare with the best loss before the last `patience` steps."""
        if step.level != self._level:
            # Losses at another size are others.
            self._losses, self._level = [], step.level
        self._losses.append(float(step.terms.total))
        if len(self._losses) <= self.patience:
            return
        before, recent = min(self._losses[: -self.patience]), min(self._losses[-self.patience :])
        if before - recent <= self.tolerance * abs(before):
            step.stop(
                f"plateau: the loss fell by less than {self.tolerance:g} of itself in {self.patience} steps"
            )

    def close(self) -> None:
        """Forget the losses, so that the next run starts anew."""
        self._losses = []
