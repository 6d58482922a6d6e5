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
from pystyle.cli._streams import forgiving_stderr, open_standard_streams, settle_streams
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
    open_standard_streams()
    try:
        with forgiving_stderr(), interrupt_on_signals() as interruption:
            code = _guarded(sys.argv[1:] if argv is None else argv)
        return interruption.exit_code(code) if code == EXIT_INTERRUPTED else code
    finally:
        settle_streams()


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
        say(f"error: {in_options(describe(error), names) if names else describe(error)}")
        return error.exit_code if isinstance(error, CommandError) else EXIT_FAILURE
    return code
