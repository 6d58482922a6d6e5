"""A folder of frames as a clip."""

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from pystyle.images import ImageReadError, read_image
from pystyle.images._formats import EXTENSIONS
from pystyle.video._clip import Clip
from pystyle.video._decoding import file_digest
from pystyle.video._frame import Frame


class FolderClip(Clip):
    """The images in a folder, in the order of their names.

    Args:
        folder: The folder.
        rate: Frames in a second.

    Raises:
        ImageReadError: If there are none, or the first cannot be read.
    """

    def __init__(self, folder: Path, rate: Fraction) -> None:
        self.name = str(folder)
        self._paths = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and path.is_file()
        )
        if not self._paths:
            raise ImageReadError(f"Cannot read the clip '{folder}': there are no images in the folder.")
        self.height, self.width = read_image(self._paths[0]).shape[2:]
        self.rate, self.time_base = rate, 1 / rate
        self.num_frames = len(self._paths)
        self.duration = self.num_frames / rate

    def frames(self, first: int = 0) -> Iterator[Frame]:
        for index, path in enumerate(self._paths[first:], first):
            yield self._frame(read_image(path), index / self.rate, 1 / self.rate)

    def digest(self) -> str:
        names = "".join(f"{path.name} {file_digest(path)}\n" for path in self._paths)
        return hashlib.sha256(names.encode()).hexdigest()
