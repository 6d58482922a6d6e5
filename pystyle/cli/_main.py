import os
import sys
from collections.abc import Sequence

from pystyle.cli._announce import say
from pystyle.cli._arguments import in_options
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


def run(argv: Sequence[str]) -> int:
    """Carry a command line out, and return the exit code."""
    with interrupt_on_signals() as interruption:
        code = _guarded(argv)
    return interruption.exit_code(code) if code == EXIT_INTERRUPTED else code


def _guarded(argv: Sequence[str]) -> int:
    """The exit code, with one line about an error."""
    names: Sequence[str] = ()
    try:
        try:
            options = parse(argv)
        except SystemExit as end:  # After --help and --version.
            sys.stdout.flush()
            return int(end.code or 0)
        if options.command is None:
            sys.stderr.write(help_text())
            return EXIT_USAGE
        names = options.option_names
        code: int = options.command(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        say("Interrupted; no picture was written.")
        return EXIT_INTERRUPTED
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE) not in (None, "", "0"):
            sys.stderr.write(full_traceback(error))
        message = describe(error, names)
        say(f"error: {in_options(message, names) if names else message}")
        return error.exit_code if isinstance(error, CommandError) else EXIT_FAILURE
    return code
