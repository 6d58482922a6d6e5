"""Which images a job has, and what their pictures are called."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pystyle.images._formats import is_image_file

# They begin as TIFF does, and the picture in them that can be read is a small preview.
_RAW_EXTENSIONS = (".dng", ".nef", ".nrw", ".arw", ".sr2", ".cr2", ".pef", ".srw", ".3fr", ".iiq", ".erf")


class Item(NamedTuple):
    """An image of a job.

    Attributes:
        input: Its path relative to the folder of the images, with slashes.
        output: That of its picture relative to the folder of the pictures.
    """

    input: str
    output: str


class LeftOut(NamedTuple):
    """A file in the folder of the images that is none of them.

    Attributes:
        input: Its path relative to the folder of the images, with slashes.
        reason: Why, in a sentence.

    Example:
        >>> print(LeftOut("notes.txt", "It is no image."))
        notes.txt was left out: It is no image.
    """

    input: str
    reason: str

    def __str__(self) -> str:
        """The fact in a line."""
        return f"{self.input} was left out: {self.reason}"


def items_of(contents: Path, output: Path, extension: str) -> tuple[list[Item], tuple[LeftOut, ...]]:
    """The images in a folder and below it, in the order of their names, and what else is there.

    Args:
        contents: The folder. Hidden files and folders are passed over. A file is an image if its name or its
            first bytes say so.
        output: The folder of the pictures, which is passed over if it lies in the other one.
        extension: Of the pictures.
    """
    found = dict(sorted(_files(contents, output)))
    left_out = tuple(LeftOut(name, reason) for name, reason in found.items() if reason is not None)
    return items_named([name for name, reason in found.items() if reason is None], extension), left_out


def items_named(names: Sequence[str], extension: str) -> list[Item]:
    """The images of these names, with names for their pictures."""
    short = {name: str(PurePosixPath(name).with_suffix(extension)) for name in names}
    long = {name: name + extension for name in names}
    outputs = dict(short)
    # Pictures that would have one name, also where upper case does not count, keep the extension of the
    # image. That may be the name of another one, and so on.
    while shared := [name for name in _shared(outputs) if outputs[name] != long[name]]:
        outputs |= {name: long[name] for name in shared}
    return [Item(name, outputs[name]) for name in names]


def _shared(outputs: dict[str, str]) -> list[str]:
    """The images whose pictures have a name which is not theirs alone."""
    counts = Counter(output.casefold() for output in outputs.values())
    return [name for name, output in outputs.items() if counts[output.casefold()] > 1]


def _files(contents: Path, output: Path) -> Iterator[tuple[str, str | None]]:
    """The names of all files that are not hidden, and why they are no images of the job."""
    pictures = output.resolve()
    for folder, folders, files in os.walk(contents):
        place = Path(folder)
        folders[:] = [
            name for name in folders if not name.startswith(".") and (place / name).resolve() != pictures
        ]
        for name in folders:
            if (place / name).is_symlink():
                yield _relative(place / name, contents), "It is a link to a folder. Name that folder instead."
        for name in files:
            if not name.startswith("."):
                yield _relative(place / name, contents), _why_left_out(place / name)


def _relative(path: Path, contents: Path) -> str:
    return path.relative_to(contents).as_posix()


def _why_left_out(path: Path) -> str | None:
    if path.exists() and not path.is_file():
        return "It is no regular file."
    if path.suffix.lower() in _RAW_EXTENSIONS:
        return "It is a raw photograph. Develop it to a JPEG, PNG or TIFF first."
    if not is_image_file(path):
        return "Neither its name nor its first bytes are those of an image that can be read."
    return None
