"""Data files that lie in other installed distributions, of which nothing is imported."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath


def installed_file(name: str, path: str) -> Path | None:
    """Where a file of a distribution is; None if the distribution lists none.

    Args:
        name: The name of the distribution.
        path: The path of the file, or its end.

    Raises:
        PackageNotFoundError: If the distribution is not installed.
    """
    parts = PurePosixPath(path).parts
    for file in distribution(name).files or ():
        if file.parts[-len(parts) :] == parts:
            return Path(str(file.locate()))
    return None


def installed_bytes(name: str, path: str, *, sha256: str, install: str, reinstall: str) -> bytes:
    """The content of a file of a distribution.

    What is hashed and what is given are the same bytes in memory: no exchange of the file in between.

    Args:
        name: The name of the distribution.
        path: The path of the file, or its end.
        sha256: What the content must have.
        install: What to do if the distribution is not installed, a sentence.
        reinstall: What to do if it is another one, a sentence.

    Raises:
        ImportError: If the distribution is not installed.
        RuntimeError: If it has no such file, or another one.
    """
    try:
        located = installed_file(name, path)
    except PackageNotFoundError as error:
        raise ImportError(
            f"The file {path!r} is in the package {name}, which is not installed. {install}"
        ) from error
    if located is None or not located.is_file():
        raise RuntimeError(f"The installed package {name} has no file {path!r}. {reinstall}")
    content = located.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise RuntimeError(
            f"The file {path!r} of the installed package {name} must have the SHA-256 {sha256}, got {found}. "
            f"{reinstall}"
        )
    return content
