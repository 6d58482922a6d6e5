"""A folder of PNG files, which becomes visible when it is complete."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image

from pystyle.images._atomic import sync_folder, take_permissions
from pystyle.video._frame import Frame
from pystyle.video._pixels import pixels_of


@contextmanager
def folder_writer(path: str | os.PathLike[str]) -> Iterator["FolderWriter"]:
    """A context with a writer of a folder of PNG files, there when the context ends without an error.

    Raises:
        ValueError: If there is something at this place, other than an empty folder.
        OSError: If it cannot be written.
    """
    place = checked_folder(path)
    temporary = place.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        temporary.mkdir()
        writer = FolderWriter(temporary)
        yield writer
        if not writer.count:
            raise ValueError("A clip must have at least one frame, got none.")
        take_permissions(temporary, place)
        with suppress(FileNotFoundError):
            place.rmdir()
        os.rename(temporary, place)
        sync_folder(place.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def checked_folder(path: str | os.PathLike[str]) -> Path:
    """The folder without symbolic links.

    Raises:
        ValueError: If there is something at this place, other than an empty folder.
        OSError: If its own folder is missing.
    """
    place = Path(os.path.realpath(os.path.expanduser(path)))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ValueError(f"The folder of frames '{place}' must be new or empty, and something is there.")
    if not place.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write the frames '{place}': the folder '{place.parent}' does not exist. Create it first."
        )
    return place


class FolderWriter:
    """Writes frames as the files `frame-000000.png` and so on; of their times only the order is kept.

    Args:
        folder: Where they are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.count = folder, 0

    def write(self, frame: Frame) -> None:
        """Write the next file."""
        picture = Image.fromarray(pixels_of(frame.image))
        picture.save(self._folder / f"frame-{self.count:06d}.png", compress_level=1)
        self.count += 1
