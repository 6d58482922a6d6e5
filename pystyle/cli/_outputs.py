"""Files to write: checked before the computation, so that no work is lost to a name."""

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from pystyle.cli._errors import UsageError
from pystyle.images import write_image


def check_new_file(option: str, path: Path, *, overwrite: bool) -> None:
    """Refuse a file that exists, unless it may be overwritten, or whose folder does not."""
    if path.is_dir():
        raise UsageError(f"`{option}` must be a file, got the folder '{path}'. Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(
            f"`{option}` needs the folder '{path.parent}', which does not exist. Create it first."
        )
    if path.exists() and not overwrite:
        raise UsageError(f"The file '{path}' exists already. Choose another name or add `--overwrite`.")


def check_picture_file(path: Path, *, overwrite: bool, encoding: Mapping[str, Any] | None = None) -> None:
    """Refuse what `check_new_file` refuses, and pictures that cannot be encoded in the format of the name."""
    try:
        write_image(torch.zeros(1, 3, 1, 1), io.BytesIO(), format=path.suffix, **(encoding or {}))
    except ValueError as error:
        message = str(error).replace("`format`", "The extension of `--output`")
        raise UsageError(message.replace("`bits=16`", "`--bits 16`")) from error
    check_new_file("--output", path, overwrite=overwrite)


def check_standard_output() -> None:
    """Refuse to write a picture to a terminal."""
    if sys.stdout.isatty():
        raise UsageError(
            "`--output -` writes a picture to standard output, which is a terminal. Redirect it to a file."
        )


def write_standard_output(image: Tensor, *, bits: Literal[8, 16]) -> None:
    """Write a picture to standard output as PNG."""
    write_image(image, sys.stdout.buffer, format="png", bits=bits)
    sys.stdout.buffer.flush()


def preview_pattern(path: Path) -> Path:
    """Where ``--save-every`` writes: the name of the output with the step.

    Example:
        >>> print(preview_pattern(Path("out.png")))
        out-{step}.png
    """
    return path.with_name(f"{path.stem}-{{step}}{path.suffix}")


def check_previews(path: Path, steps: range, *, overwrite: bool) -> None:
    """Refuse previews that would replace files, or whose name would hold the step twice."""
    if "{step}" in str(path):
        raise UsageError(f"`--save-every` needs an output without '{{step}}' in its name, got '{path}'.")
    for step in steps:
        preview = Path(str(preview_pattern(path)).replace("{step}", f"{step:05d}"))
        check_new_file("--save-every", preview, overwrite=overwrite)
