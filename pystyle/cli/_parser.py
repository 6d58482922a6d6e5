"""The command line as a whole: commands, help, and errors for what nobody understands."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pystyle import __version__
from pystyle.cli import (
    _bench,
    _compress,
    _demo,
    _export,
    _info,
    _judge,
    _live,
    _paint,
    _serve,
    _stylize,
    _texture,
    _train,
    _video,
)
from pystyle.cli._batch import is_batch
from pystyle.cli._config import Config, config_file, read_config
from pystyle.cli._errors import UsageError, did_you_mean
from pystyle.cli._recipe_options import is_recipe
from pystyle.cli._swallowed import swallowed_files
from pystyle.cli._words_options import is_words

_COMMANDS = {
    "stylize": _stylize,
    "train": _train,
    "paint": _paint,
    "texture": _texture,
    "video": _video,
    "live": _live,
    "serve": _serve,
    "export": _export,
    "compress": _compress,
    "judge": _judge,
    "demo": _demo,
    "info": _info,
    "bench": _bench,
}
_CONFIGURABLE = {
    "stylize": _stylize.CONFIG_KEYS,
    "train": _train.CONFIG_KEYS,
    "paint": _paint.CONFIG_KEYS,
    "video": _video.CONFIG_KEYS,
}
"""What the files of options have beside options, by the commands that take such files."""

_EPILOG = """\
exit codes:
  0    done
  1    a failure: an unreadable picture, missing weights, a full disk, a run that diverged
  2    a command line that cannot be carried out; nothing was computed
  3    all images of a folder are painted, and other files were left out
  130  Ctrl-C; the picture or network so far was saved, and with --checkpoint the state of the run
  129  SIGHUP, as when a terminal is closed; likewise
  143  SIGTERM, as of batch queues; likewise

Errors are one line on stderr. Set PYSTYLE_TRACEBACK=1 to see where an error came from.
"""


class Parser(argparse.ArgumentParser):
    """A parser that raises its errors instead of printing the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise the error as a sentence."""
        raise UsageError(f"{message[:1].upper()}{message[1:].rstrip('.')}. Try '{self.prog} --help'.")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options, among them ``command``: the function that carries them out.

    Raises:
        UsageError: If the arguments are not understood.
        SystemExit: After ``--help`` and ``--version``.
    """
    batch, recipe, words = is_batch(argv), is_recipe(argv), is_words(argv)
    parser, commands = _parsers(batch=batch, recipe=recipe, words=words)
    if argv and not argv[0].startswith("-") and argv[0] not in commands:
        hint = did_you_mean(argv[0], commands)
        raise UsageError(f"The command must be one of {', '.join(commands)}, got {argv[0]!r}.{hint}")
    name = argv[0] if argv else ""
    path = config_file(argv) if name in _CONFIGURABLE else None
    if path is not None:
        config = read_config(path, _config_keys(commands[name]), _CONFIGURABLE[name])
        config = config.without_replaced(argv)
        arguments = config.arguments(argv)
        _check(path, [name, *_CONFIGURABLE[name].required], arguments, parser)
        batch, recipe = batch or is_batch(arguments), recipe or is_recipe(arguments)
        words = words or is_words(arguments)
        if batch:
            # The one picture of the file is not what is asked for.
            arguments = [argument for argument in arguments if not argument.startswith("--output=")]
        parser, commands = _parsers(config, batch=batch, recipe=recipe, words=words)
        argv = [name, *arguments, *argv[1:]]
    try:
        options, unknown = parser.parse_known_args(argv)
    except UsageError as error:
        command = commands.get(argv[0]) if argv else None
        hint = swallowed_files(argv[1:], command.format_usage(), str(error)) if command else ""
        raise UsageError(f"{error}{hint}") from error
    if unknown:
        raise UsageError(_not_understood(unknown[0], commands.get(argv[0], parser)))
    return options


def _config_keys(command: Parser) -> list[str]:
    """The options that a config may have."""
    keys = [name.removeprefix("--") for name in _options_of(command)]
    return [key for key in keys if key not in ("help", "config", "save-config")]


def _check(path: Path, command: Sequence[str], arguments: Sequence[str], parser: Parser) -> None:
    """Check each argument of a config alone, so that an error can say where it comes from."""
    for argument in arguments:
        try:
            parser.parse_args([*command, argument])
        except UsageError as error:
            raise UsageError(f"In '{path}': {error}") from error


def help_text() -> str:
    """The help on all commands."""
    return _parsers()[0].format_help()


def _parsers(
    config: Config | None = None, *, batch: bool = False, recipe: bool = False, words: bool = False
) -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(
        prog="pystyle",
        description="Neural style transfer: paint a photograph in the manner of a painting.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"pystyle {__version__}", help="show the version"
    )
    parser.set_defaults(command=None)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    commands = {}
    for name, module in _COMMANDS.items():
        commands[name] = subparsers.add_parser(
            name, help=module.SUMMARY, description=module.DESCRIPTION, allow_abbrev=False
        )
        if module is _stylize:
            _stylize.add_arguments(commands[name], config, batch=batch, words=words)
        elif module is _train:
            _train.add_arguments(commands[name], config, recipe=recipe)
        elif name in _CONFIGURABLE:
            module.add_arguments(commands[name], config)
        else:
            module.add_arguments(commands[name])
        commands[name].set_defaults(command=module.run, option_names=_options_of(commands[name]))
    return parser, commands


def _not_understood(argument: str, parser: Parser) -> str:
    if not argument.startswith("-"):
        return f"The argument {argument!r} is one too many where it stands. Name all files side by side."
    option = argument.partition("=")[0]
    hint = did_you_mean(option, _options_of(parser))
    return f"There is no option {option!r}.{hint} Try '{parser.prog} --help'."


def _options_of(parser: Parser) -> list[str]:
    """The long names of its options."""
    names = (name for action in parser._actions for name in action.option_strings)
    return sorted(name for name in names if name.startswith("--"))
