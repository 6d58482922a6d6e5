"""Where downloaded weights lie, and whether a file is the expected one. Free of torch.

The places are those of ``torch.hub``, so that a file is fetched once for all packages. ``torch.hub`` itself
trusts any file that is already there; here every file is hashed at every use (about a second for VGG-19).
"""

import hashlib
import os
from os import PathLike
from pathlib import Path

from pystyle.encoders._weights._error import WeightsError

OTHER_PLACES = (
    "Set TORCH_HOME or XDG_CACHE_HOME to a directory that can be written, "
    "or name a file that you have with `weights=<path>`."
)


def cache_directory(directory: str | PathLike[str] | None) -> Path:
    """The given directory, else that in which ``torch.hub`` keeps its files, whether it exists or not."""
    if directory is None:
        cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        torch_home = os.environ.get("TORCH_HOME") or os.path.join(cache_home, "torch")
        directory = os.path.join(torch_home, "hub", "checkpoints")
    expanded = os.path.expanduser(directory)
    if expanded.startswith("~"):
        raise WeightsError(
            f"The weights belong in `{directory}`, but the home directory is unknown: HOME must be set, "
            f"got none. {OTHER_PLACES}"
        )
    return Path(expanded)


def is_ready(target: Path, sha256: str) -> bool:
    """Whether the file is there, having verified that it is the expected one.

    A file of other content is refused and left as it is: it may be somebody's own.
    """
    try:
        with target.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            num_bytes = file.tell()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise WeightsError(f"The weights file `{target}` cannot be read: {error}. {OTHER_PLACES}") from error
    if not found.startswith(sha256):
        raise WeightsError(
            f"The weights file `{target}` must have the SHA-256 {sha256}, got {found} ({num_bytes} bytes). "
            "It is damaged or was altered. Delete it, and it will be downloaded again."
        )
    return True


def create_directory(directory: Path) -> None:
    """Create the directory for downloads, with a named error where that is impossible."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(directory, error) from error


def not_writable(directory: Path, error: OSError) -> WeightsError:
    """The error for a cache in which no file can be written."""
    return WeightsError(f"The weights cannot be written to `{directory}`: {error}. {OTHER_PLACES}")
