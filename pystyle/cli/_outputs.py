"""Files to write: checked before the computation, so that no work is lost to a name."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pystyle.cli._errors import UsageError
from pystyle.images import Metadata
from pystyle.images._atomic import check_writable
from pystyle.images._destinations import Destination, check_destinations
from pystyle.images._size_limits import check_size
from pystyle.images._write import checked_format, encoding_options


def check_new_file(option: str, path: Path, *, overwrite: bool) -> None:
    """Refuse a file that exists, unless it may be overwritten, or whose folder does not."""
    try:
        if path.is_dir():
            raise UsageError(f"`{option}` must be a file, got the folder '{path}'. Name a file in it.")
        if not path.parent.is_dir():
            raise UsageError(
                f"`{option}` needs the folder '{path.parent}', which does not exist. Create it first."
            )
        if path.exists() and not overwrite:
            raise UsageError(f"The file '{path}' exists already. Choose another name or add `--overwrite`.")
    except OSError as error:  # Of a name that is too long, or a folder that may not be looked into.
        raise UsageError(f"`{option}` cannot be written to '{path}': {error.strerror}.") from error


def check_picture_file(
    path: Path, *, overwrite: bool, encoding: Mapping[str, Any] | None = None, option: str = "--output"
) -> None:
    """Refuse what `check_new_file` refuses, and pictures that cannot be encoded in the format of the name."""
    try:
        checked_format(path, format=path.suffix, **(encoding or {}))
    except ValueError as error:
        message = str(error).replace("`format`", f"The extension of `{option}`")
        raise UsageError(message.replace("`bits=16`", "`--bits 16`")) from error
    check_new_file(option, path, overwrite=overwrite)


def check_places(destinations: Sequence[Destination], sources: Iterable[str | Path]) -> None:
    """Refuse files that cannot be written, that are the same, or that are read as well."""
    try:
        check_destinations(destinations, sources)
    except OSError as error:
        raise UsageError(f"{error.strerror}") from error
    except ValueError as error:
        raise UsageError(str(error)) from error


def check_picture_size(path: Path, height: int, width: int, *, metadata: Metadata | None = None) -> None:
    """Refuse a picture that is too large for its format, or for which there is no room."""
    try:
        encoding_options(metadata, checked_format(path), height, width)
    except ValueError as error:
        raise UsageError(str(error)) from error
    try:
        check_size(checked_format(path), height, width)
        # No painting is encoded in less, unless much of it is lost.
        check_writable(path, kind="picture", size=max(height * width // 2, 4096))
    except OSError as error:
        raise UsageError(f"{error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{error} Take a smaller `--size`, or another extension.") from error


def check_standard_output() -> None:
    """Refuse to write a picture to a terminal, or to nowhere."""
    if sys.stdout.isatty():
        raise UsageError(
            "`--output -` writes a picture to standard output, which is a terminal. Redirect it to a file."
        )
    if getattr(sys.stdout, "name", None) == os.devnull:
        raise UsageError("`--output -` writes a picture to standard output, which is closed. Name a file.")


def preview_pattern(path: Path) -> Path:
    """Where ``--save-every`` writes: the name of the output with the step.

    Example:
        >>> print(preview_pattern(Path("out.png")))
        out-{step}.png
    """
    return path.with_name(f"{path.stem}-{{step}}{path.suffix}")


def preview_files(path: Path, steps: range, *, overwrite: bool) -> list[Destination]:
    """The previews, none of which may replace files, or hold the step twice in its name."""
    if "{step}" in str(path):
        raise UsageError(f"`--save-every` needs an output without '{{step}}' in its name, got '{path}'.")
    files = files_of_steps(preview_pattern(path), steps)
    for file in files:
        check_new_file("--save-every", file, overwrite=overwrite)
    return [Destination("A preview of `--save-every`", file) for file in files]


def files_of_steps(pattern: Path, steps: range) -> list[Path]:
    """The files of previews after these steps; one for all if the pattern has no ``{step}``.

    Example:
        >>> [str(path) for path in files_of_steps(Path("out-{step}.png"), range(50, 101, 50))]
        ['out-00050.png', 'out-00100.png']
    """
    if "{step}" not in str(pattern):
        return [pattern]
    return [Path(str(pattern).replace("{step}", f"{step:05d}")) for step in steps]
