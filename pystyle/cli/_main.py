import contextlib
import os
import sys
from collections.abc import Sequence

from pystyle.cli._announce import say
from pystyle.cli._errors import (
    EXIT_FAILURE,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    TRACEBACK_VARIABLE,
    CommandError,
    describe,
    full_traceback,
)
from pystyle.cli._parser import help_text, parse
from pystyle.runner import interrupt_on_signals


def main(argv: Sequence[str] | None = None) -> int:
    """Carry a command line out.

    Args:
        argv: The arguments; those of the process if not given.

    Returns:
        The exit code: 0 when all went well, 1 after a failure, 2 for a command line that cannot be carried
        out, 130 after Ctrl-C, 128 and its number after another signal. Every error is one line on stderr.

    Example:
        >>> main(["--version"])
        pystyle ...
        0
    """
    with interrupt_on_signals() as interruption:
        code = _told(sys.argv[1:] if argv is None else argv)
    return interruption.exit_code(code) if code == EXIT_INTERRUPTED else code


def _told(argv: Sequence[str]) -> int:
    """Carry a command line out, and say what ended it."""
    try:
        code = _run(argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        say("Interrupted; no picture was written.")
        return EXIT_INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError):
            _discard_standard_output()
        if os.environ.get(TRACEBACK_VARIABLE) not in (None, "", "0"):
            sys.stderr.write(full_traceback(error))
        say(f"error: {describe(error)}")
        return error.exit_code if isinstance(error, CommandError) else EXIT_FAILURE
    return code


def _run(argv: Sequence[str]) -> int:
    try:
        options = parse(argv)
    except SystemExit as end:  # After --help and --version.
        return int(end.code or 0)
    if options.command is None:
        sys.stderr.write(help_text())
        return EXIT_USAGE
    code: int = options.command(options)
    return code


def _discard_standard_output() -> None:
    """Without a reader the interpreter would complain once more when it flushes at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
