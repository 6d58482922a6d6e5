import os
from pathlib import Path


def path_of(path: str | os.PathLike[str]) -> Path:
    """A path with ``~`` for the home folder; a name such as ``~draft`` that is no user's stays as it is.

    `Path.expanduser` refuses such a name, under which a file can be written.
    """
    return Path(os.path.expanduser(path))
