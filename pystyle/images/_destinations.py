"""What a run will write: checked before it begins, so that no work is lost to a name."""

import errno
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pystyle.images._atomic import check_writable, checked_place


class Destination(NamedTuple):
    """A file or a folder that will be written.

    Attributes:
        name: What it is called in an error, such as "`--log`".
        path: Where it is.
        is_folder: Whether it is a folder, which need not be there yet.
        in_place: Whether a file that is there will be changed, and not replaced.
    """

    name: str
    path: Path
    is_folder: bool = False
    in_place: bool = False


def check_destinations(
    destinations: Sequence[Destination], sources: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Checks that everything can be written, each to a place of its own.

    Args:
        destinations: What will be written.
        sources: Files that are read, none of which may be written to.

    Raises:
        ValueError: If two are the same file (by whatever spelling, link or case), one is a source or lies in
            the file of another, or no file can have such a name.
        OSError: If one cannot be written: its folder is missing, full, or takes no files.
    """
    check_not_read(destinations, sources)
    _check_distinct(destinations)
    check_not_nested(destinations)
    probed = set[Path]()
    for destination in destinations:
        path = _file_of(destination)
        try:
            checked_place(path, kind="file")
            # One file stands for all that will be made in its folder; what is changed is opened itself.
            changed = path.exists() and (destination.in_place or not path.is_file())
            place = path if changed else path.parent
            if place not in probed:
                check_writable(path, in_place=destination.in_place)
                probed.add(place)
        except OSError as error:
            cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
            reason = (cause.strerror or str(cause)).rstrip(".")
            message = f"{destination.name} cannot be written to '{destination.path}': {reason}."
            raise OSError(cause.errno or errno.EIO, message) from error


def check_not_read(destinations: Sequence[Destination], sources: Iterable[str | os.PathLike[str]]) -> None:
    """Checks that nothing is written to a file that is read.

    Raises:
        ValueError: If it would be, or no file can have such a name.
    """
    read = {key: source for source in map(Path, sources) for key in _keys(source)}
    for destination in destinations:
        for key in _keys(destination.path):
            if key in read and not destination.is_folder:
                raise ValueError(
                    f"{destination.name} is the file '{destination.path}', which is read as well"
                    f"{_also(destination.path, read[key])}. Name another one."
                )


def check_not_nested(destinations: Sequence[Destination]) -> None:
    """Checks that nothing lies in what will be a file.

    Raises:
        ValueError: If something does.
    """
    files = {_spelling(_real(other.path)): other for other in destinations if not other.is_folder}
    for destination in destinations:
        for folder in _real(destination.path).parents:
            if _spelling(folder) in files:
                other = files[_spelling(folder)]
                raise ValueError(
                    f"{destination.name} lies in '{other.path}', which is the file of {other.name}. Name "
                    "another place."
                )


def _check_distinct(destinations: Sequence[Destination]) -> None:
    written = dict[object, Destination]()
    for destination in destinations:
        for key in (*_keys(destination.path), _spelling(_real(destination.path))):
            other = written.setdefault(key, destination)
            if other is not destination and not (other.is_folder and destination.is_folder):
                raise ValueError(
                    f"{other.name} and {destination.name} are both '{destination.path}'"
                    f"{_also(destination.path, other.path)}. Name another one."
                )


def _also(path: Path, other: Path) -> str:
    return "" if path == other else f" (also called '{other}')"


def _file_of(destination: Destination) -> Path:
    """The file, or one in the folder or in the nearest one above it that is there."""
    path = _real(destination.path)
    if not destination.is_folder:
        return path
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path / "file"


def _keys(path: Path) -> Iterator[object]:
    """What two paths have in common if they are the same file."""
    yield _real(path)
    try:
        found = os.stat(path)
    except OSError:
        return
    yield found.st_dev, found.st_ino


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except ValueError as error:  # A null byte, or letters that the system cannot encode.
        raise ValueError(f"No file can have the name {str(path)!r} ({error}).") from error


def _spelling(path: Path) -> str:
    """The path as it is compared where upper and lower case, or the forms of an accent, are the same."""
    return unicodedata.normalize("NFC", str(path)).casefold()
