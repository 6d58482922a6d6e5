"""What cannot be written where it should be is written elsewhere."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from pystyle.images._metadata import Metadata
from pystyle.images._write import write_image

_NAME = "pystyle-rescued"
_ENCODINGS = ((".png", 100), (".jpg", 90), (".jpg", 60))
"""Without loss if there is room for that anywhere, else with some."""


def rescue_image(
    image: Tensor,
    path: str | os.PathLike[str],
    *,
    bits: Literal[8, 16] = 8,
    metadata: Metadata | None = None,
    alpha: Tensor | None = None,
) -> Path | None:
    """Writes an image that could not be written to its path under a new name.

    It becomes a PNG file in the folder of the path, the current one, the home, or that of temporary files:
    the first that takes it. Where none has room for it, it becomes a JPEG file.

    Args:
        image: The image.
        path: Where it should have been.
        bits: Per channel of a PNG file.
        metadata: Of a PNG file.
        alpha: Of a PNG file.

    Returns:
        Where it is; None if it could not be written anywhere.
    """
    whole: dict[str, Any] = {"bits": bits, "metadata": metadata, "alpha": alpha}
    for extension, quality in _ENCODINGS:
        for destination in free_places(Path(path), extension):
            with suppress(Exception):
                write_image(image, destination, quality=quality, **(whole if extension == ".png" else {}))
                return destination
    return None


def free_places(path: Path, extension: str) -> Iterator[Path]:
    """Where a file may go that cannot be written to its path, under names that nothing has."""
    for folder in _folders(path):
        # The name that it should have may be what cannot be written.
        for stem in (path.stem, _NAME):
            with suppress(Exception):
                yield _free_name(folder, stem, extension)


def _folders(path: Path) -> Iterator[Path]:
    yield path.parent
    for find in (Path.cwd, Path.home, lambda: Path(tempfile.gettempdir())):
        with suppress(Exception):  # There may be none.
            yield find()


def _free_name(folder: Path, stem: str, extension: str) -> Path:
    path, number = folder / f"{stem}{extension}", 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{stem}-{number}{extension}"
    return path.absolute()
