"""What is kept of a run beside what it makes: its checkpoints, its log, and its options."""

import argparse
from collections.abc import Sequence
from typing import Any

from pystyle.checkpoints import Checkpoints
from pystyle.cli._config import Keys, config_text
from pystyle.cli._errors import UsageError
from pystyle.cli._outputs import check_new_file
from pystyle.images._atomic import replace_file
from pystyle.images._destinations import Destination
from pystyle.runner import CSVLogger, JSONLogger

_LOGGERS = {".csv": CSVLogger, ".jsonl": JSONLogger}


def check_checkpoint(options: argparse.Namespace) -> None:
    """Refuse to keep checkpoints in a file."""
    if options.checkpoint is not None and options.checkpoint.exists() and not options.checkpoint.is_dir():
        raise UsageError(f"`--checkpoint` must be a folder, got the file '{options.checkpoint}'.")


def kept_files(options: argparse.Namespace, keys: Keys, *, overwrite: bool) -> list[Destination]:
    """The log, the file of options and the folder of checkpoints, which may not replace files unasked."""
    files = []
    if options.log is not None:
        if options.log.suffix.lower() not in _LOGGERS:
            raise UsageError(f"`--log` must end in {' or '.join(_LOGGERS)}, got '{options.log}'.")
        check_new_file("--log", options.log, overwrite=overwrite)
        files.append(Destination("`--log`", options.log, in_place=True))
    files += config_files(options, keys, overwrite=overwrite)
    if options.checkpoint is not None:
        files.append(Destination("`--checkpoint`", options.checkpoint, is_folder=True))
    return files


def config_files(options: argparse.Namespace, keys: Keys, *, overwrite: bool) -> list[Destination]:
    """The file of options, if one is wanted."""
    if options.save_config is None:
        return []
    check_new_file("--save-config", options.save_config, overwrite=overwrite)
    # The names of all files are in it, some of which may have no letters.
    _config(options, keys)
    return [Destination("`--save-config`", options.save_config)]


def checkpoints_of(options: argparse.Namespace) -> Checkpoints | None:
    """The folder of ``--checkpoint``, and how often it is written to."""
    if options.checkpoint is None:
        return None
    return Checkpoints(options.checkpoint, options.checkpoint_every or Checkpoints.seconds)


def loggers_of(options: argparse.Namespace) -> Sequence[Any]:
    """The callback of ``--log``, if it is wanted."""
    return [] if options.log is None else [_LOGGERS[options.log.suffix.lower()](options.log)]


def save_config(options: argparse.Namespace, keys: Keys) -> None:
    """Write the file of ``--save-config``, if it is wanted."""
    if options.save_config is not None:
        replace_file(options.save_config, _config(options, keys), kind="config")


def _config(options: argparse.Namespace, keys: Keys) -> bytes:
    try:
        return config_text(options, options.save_config.parent, keys).encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            "`--save-config` needs files whose names are text, got one with bytes that are no letters: "
            f"{error.object[max(error.start - 20, 0) : error.end + 20]!r}. Rename it."
        ) from error
