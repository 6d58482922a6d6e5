"""Converters of option values that are paths."""

import os
from pathlib import Path


def files(text: str) -> list[str]:
    """The paths between commas, or the one of a file that has commas in its name.

    Example:
        >>> files("sky.png")
        ['sky.png']
    """
    whole, parts = user_path(text), [user_path(part) for part in text.split(",")]
    if os.path.exists(whole) or not any(map(os.path.exists, parts)):
        return [whole]
    return parts


def user_path(text: str) -> str:
    """The path with the home folder in the place of ``~``, which shells leave in ``--output=~/out.png``."""
    return text if os.path.lexists(text) else os.path.expanduser(text)


def user_file(text: str) -> Path:
    """The path of `user_path`, as one."""
    return Path(user_path(text))
