"""Files that hold the options of a run: TOML, flat, with the long names of the options as keys."""

import json
import os
import tomllib
from argparse import Namespace
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from pystyle import __version__
from pystyle.cli._encoders import is_weights_name
from pystyle.cli._errors import UsageError, did_you_mean
from pystyle.cli._inputs import INITS, STANDARD_STREAM
from pystyle.cli._paths import user_file, user_path
from pystyle.cli._text_files import read_text

CONFIG_OPTION = "--config"

_FLAGS = ("any-style", "json", "keep-metadata", "overwrite", "quiet", "resume", "retry-failed")
_PATHS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(("content", "style", "styles", "mask", "style-mask", "output"), lambda _: False),
    **dict.fromkeys(("batch", "output-dir", "checkpoint", "log", "contents", "preview"), lambda _: False),
    "init": INITS.__contains__,
    "weights": is_weights_name,
}
"""The keys whose values are paths, and what is none."""

_FILES = ("mask", "style-mask")
"""The keys with any number of paths; their options may be repeated."""

_KEYS = {"num_steps": "steps", "style_layers": "layers", "style_loss": "loss", "styles": "style"}
"""The keys of attributes that have another name than their option."""

_NOT_SAVED = (
    *("command", "option_names", "late_defaults", "config", "save_config"),
    *("checkpoint", "checkpoint_every", "json", "overwrite", "quiet", "resume", "retry_failed"),
)


class Keys(NamedTuple):
    """What a command has in its files beside the long names of its options.

    Attributes:
        files: The keys of the files that are no options.
        required: Arguments without which its command line is none.
        is_name: What is no path in the values of further keys.
        flags: The keys of further options without a value.
    """

    files: Sequence[str]
    required: Sequence[str]
    is_name: Mapping[str, Callable[[str], bool]] = MappingProxyType({})
    flags: Collection[str] = ()


@dataclass(frozen=True)
class Config:
    """What a file says.

    Attributes:
        path: The file.
        content: The photograph; None if it is not named.
        styles: The paintings.
        options: Arguments of the command line by the names of their options.
    """

    path: Path
    content: str | None
    styles: Sequence[str]
    options: dict[str, list[str]]

    def without_replaced(self, argv: Sequence[str]) -> Self:
        """What it says beside the folder of paintings, if a command line names another one."""
        given = any(argument.partition("=")[0] == "--styles" for argument in argv)
        return replace(self, styles=[]) if given else self

    def arguments(self, argv: Sequence[str]) -> list[str]:
        """The arguments for those options that a command line does not give itself."""
        given = {
            argument.partition("=")[0].removeprefix("--") for argument in argv if argument.startswith("-")
        }
        given |= {"output"} if any(argument.startswith("-o") for argument in argv) else set()
        return [
            argument
            for name, arguments in self.options.items()
            if name not in given
            for argument in arguments
        ]


def config_file(argv: Sequence[str]) -> Path | None:
    """The file that a command line names; None if it names none."""
    found = None
    for index, argument in enumerate(argv):
        if argument == CONFIG_OPTION and index + 1 < len(argv):
            found = user_file(argv[index + 1])
        elif argument.startswith(f"{CONFIG_OPTION}="):
            found = user_file(argument.partition("=")[2])
    return found


def read_config(path: Path, known: Collection[str], keys: Keys) -> Config:
    """What a file says.

    Args:
        path: The file. Relative paths in it are relative to its folder.
        known: The long names of all options, without dashes.
        keys: What the command has beside them.

    Raises:
        UsageError: If the file cannot be read, a key does not exist, or a value is of a kind that none has.
    """
    options, content, styles = {}, None, list[str]()
    paths = {**_PATHS, **keys.is_name}
    for key, value in _table(path).items():
        names = [*known, *keys.files]
        if key not in names:
            hint = did_you_mean(key, names)
            raise UsageError(f"In '{path}' there is an option {key!r}, which does not exist.{hint}")
        values = _texts(path, key, value, is_flag=key in _FLAGS or key in keys.flags)
        if key in paths:
            values = [_from_folder(path.parent, text, paths[key]) for text in values]
        if key == "content":
            content = values[0]
        elif key in ("style", "styles"):
            styles = [*styles, *values]
        else:
            options[key] = _arguments(key, value, values)
    return Config(path, content, styles, options)


def config_text(options: Namespace, folder: Path, keys: Keys) -> str:
    """A file in this folder that carries a run out again.

    Example:
        >>> keys = Keys(("content", "style"), ())
        >>> text = config_text(Namespace(edge_size=256, content="a.jpg", seed=None), Path(), keys)
        >>> text.splitlines()[1:]
        ['size = 256', 'content = "a.jpg"']
    """
    paths = {**_PATHS, **keys.is_name}
    lines = [f"# Options of pystyle {__version__}; relative paths are relative to the folder of this file."]
    for name, value in vars(options).items():
        if value is None or value == [] or name in _NOT_SAVED:
            continue
        key = _KEYS.get(name, name.replace("_", "-"))
        if name == "edge_size":
            key = "pyramid" if isinstance(value, list) else "size"
        if key in paths:
            values = value if isinstance(value, list) else [str(value)]
            values = [_to_folder(folder, text, paths[key]) for text in values]
            value = values if isinstance(value, list) else values[0]
        lines.append(f"{key} = {_toml(value)}")
    return "\n".join([*lines, ""])


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except OSError as error:
        raise UsageError(
            f"`{CONFIG_OPTION}` must be a file that can be read, got '{path}': {error}."
        ) from error
    except ValueError as error:  # Of TOML or of its encoding.
        raise UsageError(f"`{CONFIG_OPTION}` must be a TOML file, got '{path}': {error}.") from error


def _texts(path: Path, key: str, value: object, *, is_flag: bool) -> list[str]:
    """The value, or the values of a list, as the command line would have them."""
    values = value if isinstance(value, list) else [value]
    if is_flag and not isinstance(value, bool):
        raise UsageError(f"In '{path}' the option {key!r} must be true or false, got {value!r}.")
    if key in ("content", "style", "styles") and not all(isinstance(item, str) for item in values):
        raise UsageError(f"In '{path}' {key!r} must be a path in quotes, got {value!r}.")
    if not values or (key == "content" and len(values) > 1):
        raise UsageError(f"In '{path}' {key!r} must have one value, got {len(values)}.")
    if not is_flag and not all(type(item) in (str, int, float) for item in values):
        raise UsageError(
            f"In '{path}' the option {key!r} must be a text, a number, or a list of them, got {value!r}."
        )
    return [str(item) for item in values]


def _arguments(key: str, value: object, values: list[str]) -> list[str]:
    if isinstance(value, bool):
        return [f"--{key}"] if value else []
    if key in _FILES:  # Which may have commas in their names.
        return [f"--{key}={text}" for text in values]
    return [f"--{key}={','.join(values)}"]


def _from_folder(folder: Path, text: str, is_name: Callable[[str], bool]) -> str:
    return text if text == STANDARD_STREAM or is_name(text) else str(folder / user_path(text))


def _to_folder(folder: Path, text: str, is_name: Callable[[str], bool]) -> str:
    if text == STANDARD_STREAM or is_name(text):
        return text
    try:
        return os.path.relpath(text, folder)
    except ValueError:  # On another drive.
        return os.path.abspath(text)


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # The strings of JSON are strings of TOML, but for one character that JSON leaves as it is.
    return json.dumps(value if isinstance(value, int | float) else str(value), ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )
