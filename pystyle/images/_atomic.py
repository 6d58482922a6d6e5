"""Replacing a file so that a reader never sees half of it."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

Buffer = bytes | bytearray | memoryview


def replace_file(
    destination: str | os.PathLike[str], data: Buffer | Sequence[Buffer], *, kind: str = "image"
) -> None:
    """Writes the bytes under a temporary name in the same folder, then renames.

    A crash or a full disk leaves the old file as it was. A symbolic link is followed, not replaced; ``~`` is
    the home folder.
    """
    path = Path(os.path.realpath(os.path.expanduser(destination)))
    if path.is_dir():
        raise IsADirectoryError(f"Cannot write the {kind} '{path}': it is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write the {kind} '{path}': the folder '{path.parent}' does not exist. Create it first."
        )
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        # Not by `tempfile`: its files are private, and a process cannot ask for its umask without changing
        # it.
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
        )
        with os.fdopen(descriptor, "wb") as file:
            file.writelines([data] if isinstance(data, Buffer) else data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk."""
    if os.name != "posix":
        return  # Elsewhere a folder cannot be opened.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
