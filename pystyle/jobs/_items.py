"""Which images a job has, and what their pictures are called."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_EXTENSIONS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".mpo", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".qoi"),
)


class Item(NamedTuple):
    """An image of a job.

    Attributes:
        input: Its path relative to the folder of the images, with slashes.
        output: That of its picture relative to the folder of the pictures.
    """

    input: str
    output: str


def items_of(contents: Path, output: Path, extension: str) -> list[Item]:
    """The images in a folder and below it, in the order of their names.

    Args:
        contents: The folder. Hidden files and folders, and what has not the name of an image, are left out.
        output: The folder of the pictures, which is left out if it lies in the other one.
        extension: Of the pictures.
    """
    names = sorted(_names(contents, output))
    short = {name: str(PurePosixPath(name).with_suffix(extension)) for name in names}
    outputs = dict(short)
    # Pictures that would have one name, also where upper case does not count, keep the extension of the
    # image. That may be the name of another one, and so on.
    while shared := _shared(outputs, short):
        outputs |= {name: name + extension for name in shared}
    return [Item(name, outputs[name]) for name in names]


def _shared(outputs: dict[str, str], short: dict[str, str]) -> list[str]:
    """The images that have a short name which is not theirs alone."""
    counts = Counter(output.casefold() for output in outputs.values())
    return [
        name for name, output in outputs.items() if counts[output.casefold()] > 1 and output == short[name]
    ]


def _names(contents: Path, output: Path) -> Iterator[str]:
    pictures = output.resolve()
    for folder, folders, files in os.walk(contents):
        place = Path(folder)
        folders[:] = [
            name for name in folders if not name.startswith(".") and (place / name).resolve() != pictures
        ]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in _EXTENSIONS:
                yield (place / name).relative_to(contents).as_posix()
