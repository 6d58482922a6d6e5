"""A folder of frames as a clip."""

import hashlib
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from pystyle.images import ImageReadError, read_image
from pystyle.images._formats import EXTENSIONS
from pystyle.video._clip import Clip
from pystyle.video._decoding import file_digest
from pystyle.video._frame import Frame


class FolderClip(Clip):
    """The images in a folder, in the order of their names, whose digits are numbers.

    Args:
        folder: The folder.
        name: What errors call it.
        rate: Frames in a second.
        max_pixels: The most that one may have.

    Raises:
        ImageReadError: If there are none, or the first cannot be read.
    """

    def __init__(self, folder: Path, name: str, rate: Fraction, max_pixels: int) -> None:
        self.name, self._max_pixels = name, max_pixels
        images = (
            path
            for path in folder.iterdir()
            if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and path.is_file()
        )
        self._paths = sorted(images, key=lambda path: _place(path.name))
        if not self._paths:
            raise ImageReadError(f"Cannot read the clip '{name}': there are no images in the folder.")
        self.height, self.width = self._read(self._paths[0]).shape[2:]
        self.rate, self.time_base = rate, 1 / rate
        self.num_frames = len(self._paths)
        self.duration = self.num_frames / rate

    def frames(self, first: int = 0) -> Iterator[Frame]:
        for index, path in enumerate(self._paths[first:], first):
            yield self._frame(self._read(path), index / self.rate, 1 / self.rate)

    def digest(self) -> str:
        names = "".join(f"{path.name} {file_digest(path)}\n" for path in self._paths)
        return hashlib.sha256(names.encode()).hexdigest()

    def _read(self, path: Path) -> Tensor:
        return read_image(path, max_pixels=self._max_pixels)


def _place(name: str) -> tuple[list[str | int], str]:
    """Where a name stands among others: frame-2 before frame-10.

    Example:
        >>> sorted(["b10.png", "b2.png", "a.png", "b02.png"], key=_place)
        ['a.png', 'b02.png', 'b2.png', 'b10.png']
    """
    # Texts and digits take turns, so that a number is never compared with a text.
    parts: list[str | int] = [
        int(part) if index % 2 else part for index, part in enumerate(re.split(r"(\d+)", name))
    ]
    return parts, name
