"""Replacing a file so that a reader never sees half of it."""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

Buffer = bytes | bytearray | memoryview

_BLOCK = 4096
"""A full disk takes the name of a file, but no block of it."""


def replace_file(
    destination: str | os.PathLike[str], data: Buffer | Sequence[Buffer], *, kind: str = "image"
) -> None:
    """Writes the bytes under a temporary name in the same folder, then renames.

    A crash or a full disk leaves the old file as it was; the new one has its permissions. A symbolic link is
    followed, not replaced, and a device or a pipe is written to; ``~`` is the home folder.

    Raises:
        OSError: If it cannot be written; the message names the destination.
        ValueError: If no file can have this name.
    """
    pieces = [data] if isinstance(data, Buffer) else data
    with _named(destination, kind):
        path = checked_place(destination, kind=kind)
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(pieces)
            return
        with temporary_file(path, pieces) as temporary:
            put_in_place(temporary, path)


def check_writable(
    destination: str | os.PathLike[str], *, kind: str = "image", in_place: bool = False, size: int = _BLOCK
) -> None:
    """Finds out whether a file can be written, by one that is made beside it and removed.

    Args:
        destination: The file.
        kind: What it will be, for the message.
        in_place: Whether a file that is there will be changed, and not replaced.
        size: Bytes for which there must be room.

    Raises:
        OSError: If it cannot; the message names the destination.
        ValueError: If no file can have this name.
    """
    with _named(destination, kind):
        path = checked_place(destination, kind=kind)
        if path.exists() and (in_place or not path.is_file()):
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        else:
            with temporary_file(path, [bytes(size)]):
                pass


def checked_place(destination: str | os.PathLike[str], *, kind: str) -> Path:
    """Returns the path without symbolic links, unless it is a folder or its folder is missing."""
    path = Path(os.path.realpath(os.path.expanduser(destination)))
    if path.is_dir():
        raise IsADirectoryError(f"Cannot write the {kind} '{path}': it is a folder. Name a file in it.")
    if not path.parent.is_dir():
        if path.parent.exists():
            raise NotADirectoryError(f"Cannot write the {kind} '{path}': '{path.parent}' is no folder.")
        raise FileNotFoundError(
            f"Cannot write the {kind} '{path}': the folder '{path.parent}' does not exist. Create it first."
        )
    with suppress(FileNotFoundError):
        # Of a name that is too long the system says so here, before anything is written.
        os.lstat(path)
    return path


def creation_mode(place: Path) -> int:
    """The mode of a new file that will be at a place: private until it has the permissions of one there."""
    return 0o600 if place.exists() else 0o666


def take_permissions(temporary: Path, place: Path) -> None:
    """Give a file or folder the permissions of what it will replace, if that is there."""
    if place.exists():
        # Some file systems have none.
        with suppress(OSError):
            temporary.chmod(stat.S_IMODE(place.stat().st_mode))


def put_in_place(temporary: Path, place: Path) -> None:
    """Rename a file over the one that is there, whose permissions it takes, and wait for the disk."""
    take_permissions(temporary, place)
    os.replace(temporary, place)
    sync_folder(place.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk."""
    if os.name != "posix":
        return  # Elsewhere a folder cannot be opened.
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return  # One may write into it, but not read.
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def temporary_file(place: Path, pieces: Iterable[Buffer]) -> Iterator[Path]:
    """A file beside a place, with these bytes on the disk, which is removed unless it is renamed."""
    path = place.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        # Not by `tempfile`: its files are private, and a process cannot ask for its umask without changing
        # it.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, creation_mode(place))
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _named(destination: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """A context whose errors name the destination, and not what stands for it in between."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        message = f"Cannot write the {kind} '{os.fspath(destination)}': {error.strerror}"
        raise OSError(error.errno, message) from error
    except ValueError as error:  # Of a null byte, or of letters that the system cannot encode.
        name = os.fspath(destination)
        raise ValueError(
            f"Cannot write the {kind} {name!r}: no file can have this name ({error})."
        ) from error
