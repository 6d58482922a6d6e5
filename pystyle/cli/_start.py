"""What comes before torch is imported: it reads the environment, and opens files."""

import os
import sys
from collections.abc import Sequence

from pystyle.cli._streams import forgiving_stderr, open_standard_streams, settle_streams
from pystyle.cli._threads import choose_wait_policy

_EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Carry a command line out.

    Args:
        argv: The arguments; those of the process if not given.

    Returns:
        The exit code: 0 when all went well, 1 after a failure, 2 for a command line that cannot be carried
        out, 3 for a batch that left files out, 130 after Ctrl-C, 128 and its number after another signal.
        Every error is one line on stderr.

    Example:
        >>> main(["--version"])
        pystyle ...
        0
    """
    open_standard_streams()
    choose_wait_policy(os.environ)
    try:
        with forgiving_stderr():
            try:
                from pystyle.cli._main import run
            except KeyboardInterrupt:
                return _EXIT_INTERRUPTED
            return run(sys.argv[1:] if argv is None else argv)
    finally:
        settle_streams()
