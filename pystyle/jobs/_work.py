"""What a process does for a job: whatever nobody else does."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pystyle._locks import Lock, locked_file
from pystyle.images import ImageReadError, read_image, split_alpha
from pystyle.images._atomic import replace_file
from pystyle.images._rescue import rescue_image
from pystyle.jobs._encoding import Encoding
from pystyle.jobs._entry import JobEntry
from pystyle.jobs._folder import JobFolder
from pystyle.jobs._items import Item
from pystyle.jobs._manifest import Configuration, Manifest
from pystyle.jobs._recipe import Recipe, ready, same_draws, size_of_picture, takes_alpha
from pystyle.runner import Result, RunInterrupted

OF_THE_IMAGE = (
    ImageReadError,
    ValueError,
    ArithmeticError,
    MemoryError,
    torch.OutOfMemoryError,
    torch.linalg.LinAlgError,  # type: ignore[attr-defined]
)
"""Errors that the next image need not have. All others but one end the job."""


@dataclass(frozen=True)
class Job:
    """What is to be done; it can be sent to another process.

    Attributes:
        contents: The folder of the images.
        output: The folder of the pictures.
        items: The images of which there is no picture.
        recipe: What is done to each.
        styles: The styles.
        encoding: How pictures are encoded.
        targets: The folder of what is computed of the styles alone.
        max_pixels: The largest product of width and height of an image.
        configuration: Recipe, styles and encoding in words and hashes.
        run: A name of the call.
        begun_at: The length of the manifest when it was decided what is to be done; what was added since then
            is done.
        workers: How many processes share the memory.
    """

    contents: Path
    output: Path
    items: Sequence[Item]
    recipe: Recipe
    styles: Any
    encoding: Encoding
    targets: Path
    max_pixels: int
    configuration: Configuration
    run: str
    begun_at: int
    workers: int


class Sorted(NamedTuple):
    """Images by what the manifest knows of them.

    Attributes:
        open: Those to be painted.
        kept: The entries of those whose pictures are there.
        failed: The entries of those that failed before and are not tried again.
    """

    open: list[Item]
    kept: list[JobEntry]
    failed: list[JobEntry]


def sort(
    manifest: Manifest,
    items: Sequence[Item],
    contents: Path,
    output: Path,
    configuration: str,
    *,
    retry_failed: bool,
) -> Sorted:
    """Find out what is to be done. Images and pictures count as the same if their bytes are."""
    found = Sorted([], [], [])
    for item in items:
        entry = manifest.entries.get(item.input)
        known = entry is not None and entry.configuration == configuration and entry.output == item.output
        if entry is None or not known or entry.input_sha256 != _file_sha256(contents / item.input):
            found.open.append(item)
        elif entry.failed:
            if retry_failed:
                found.open.append(item)
            else:
                found.failed.append(entry)
        elif entry.output_sha256 == _file_sha256(output / item.output):
            found.kept.append(entry)
        else:
            found.open.append(item)
    return found


def work(job: Job, *, index: int, tell: Callable[[JobEntry], None]) -> None:
    """Paint the images of a job, except those that others paint at the same time.

    Args:
        job: The job.
        index: The number of this process.
        tell: Called after each image that this process has done.

    Raises:
        RunInterrupted: If a run was interrupted.
    """
    Worker(job, index=index).paint(job.items, tell=tell)


class Worker:
    """What a process keeps while it paints images of a job: the recipe made ready, and what was read.

    Args:
        job: The job.
        index: The number of this process.
    """

    def __init__(self, job: Job, *, index: int) -> None:
        self.job = job
        self._folder = JobFolder(job.output)
        self._manifest = Manifest(self._folder.manifest)
        self._recipe = ready(job.recipe, index=index, workers=job.workers, targets=job.targets)

    def paint(self, items: Sequence[Item], *, tell: Callable[[JobEntry], None]) -> None:
        """Paint images, except those that others paint at the same time; see :func:`work`."""
        # Those that others have claimed are looked at again at the end, and waited for: their holders may
        # die.
        for wait in (False, True):
            claimed_by_others = []
            for item in items:
                with locked_file(self._folder.claim(item), wait=wait) as claim:
                    self._manifest.read()
                    if self._manifest.added_since(self.job.begun_at, item.input) is not None:
                        continue
                    if claim is Lock.BUSY:
                        claimed_by_others.append(item)
                        continue
                    entry = _paint(self.job, self._recipe, item)
                    self._manifest.add(entry)
                    tell(entry)
            items = claimed_by_others


def lost(job: Job, item: Item, deaths: int) -> None:
    """Write down that whoever painted an image died, unless somebody has done it since."""
    folder = JobFolder(job.output)
    manifest = Manifest(folder.manifest)
    with locked_file(folder.claim(item), wait=True):
        manifest.read()
        if manifest.added_since(job.begun_at, item.input) is not None:
            return
        error = f"{deaths} processes died while they painted it; memory may have been short."
        manifest.add(
            JobEntry(
                input=item.input,
                output=item.output,
                input_sha256=_file_sha256(job.contents / item.input),
                output_sha256=None,
                error=error,
                seconds=0.0,
                configuration=job.configuration.sha256,
                run=job.run,
                threads=torch.get_num_threads(),
            )
        )


def _paint(job: Job, recipe: Recipe, item: Item) -> JobEntry:
    start, path = time.perf_counter(), job.contents / item.input
    input_sha256 = _file_sha256(path)
    data, error = b"", None
    try:
        image, alpha = _read(job, recipe, path)
        metadata = job.encoding.metadata(path)
        job.encoding.check(size_of_picture(recipe, image), metadata)
        with same_draws(recipe):
            result = recipe(image, job.styles, **({} if alpha is None else {"alpha": alpha}))
        if not isinstance(result, Result):
            raise TypeError(
                f"`recipe` must give a Result, got a {type(result).__name__}. Write "
                "`Result(picture, {}, 'finished', 0.0)`."
            )
        if result.interrupted:
            raise RunInterrupted(result)
        if result.failed:
            error = f"The run ended early: {result.stop_reason}"
        else:
            data = job.encoding.encoded(result.image, metadata, result.alpha)
    except Exception as failure:
        # Of a lack of memory on a CPU torch makes a plain RuntimeError.
        if not isinstance(failure, OF_THE_IMAGE) and "can't allocate memory" not in str(failure):
            raise
        error = str(failure) if isinstance(failure, OSError) else f"{type(failure).__name__}: {failure}"
    if error is None:
        _write(job, job.output / item.output, data, result)
    return JobEntry(
        input=item.input,
        output=item.output,
        input_sha256=input_sha256,
        output_sha256=None if error else hashlib.sha256(data).hexdigest(),
        error=error,
        seconds=round(time.perf_counter() - start, 3),
        configuration=job.configuration.sha256,
        run=job.run,
        threads=torch.get_num_threads(),
    )


def _read(job: Job, recipe: Recipe, path: Path) -> tuple[Tensor, Tensor | None]:
    """The image, and its opacity if its picture is to have that."""
    if job.encoding.keeps_alpha and takes_alpha(recipe):
        return split_alpha(path, max_pixels=job.max_pixels)
    ground = job.encoding.background or (1.0, 1.0, 1.0)
    return read_image(path, background=ground, max_pixels=job.max_pixels), None


def _write(job: Job, destination: Path, data: bytes, result: Result) -> None:
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        replace_file(destination, data, kind="picture")
    except OSError as failure:
        elsewhere = rescue_image(result.image, destination, bits=job.encoding.bits, alpha=result.alpha)
        if elsewhere is not None:
            failure.add_note(f"The picture is in '{elsewhere}' instead.")
        raise


def _file_sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
