"""How the command line fails: one line on stderr, and an exit code that tells whose fault it was."""

import difflib
import traceback
from collections.abc import Collection, Iterable
from typing import ClassVar

import torch

from pystyle.encoders import WeightsError

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_LEFT_OUT = 3
"""A batch that painted all images, but found files that are none."""
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

TRACEBACK_VARIABLE = "PYSTYLE_TRACEBACK"

_EXTRA = 'pip install "pystyle-nst['
"""What an error says if the package of an extra is missing."""

_LESS_MEMORY = {
    "--batch-size": "a smaller `--batch-size`",
    "--crop-size": "a smaller `--crop-size`",
    "--size": "a smaller `--size`",
    "--precision": "`--precision bfloat16`",
    "--optimizer": "`--optimizer adam`",
}
"""What needs less memory, by the option that a command must have for it."""


class CommandError(Exception):
    """A failure whose message is for the user as it is."""

    exit_code: ClassVar[int] = EXIT_FAILURE


class UsageError(CommandError):
    """A command line that cannot be carried out as it stands."""

    exit_code: ClassVar[int] = EXIT_USAGE


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint ``" Did you mean 'vgg19'?"``, or nothing if no known name is close."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


def one_line(text: str) -> str:
    """The text without line breaks, or characters that would steer a terminal.

    Example:
        >>> one_line("two\\n  lines \\x1b[31m")
        'two lines \\\\x1b[31m'
    """
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """The text, with escapes for line breaks and characters that would steer a terminal.

    Example:
        >>> printable("two\\n  lines \\x1b[31m")
        'two\\\\n  lines \\\\x1b[31m'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def describe(error: Exception, options: Collection[str] = ()) -> str:
    """The one line that stands for an error, with its notes.

    Args:
        error: The error.
        options: The long names of the options of the command, for advice.
    """
    # Errors of files, weights and extras are written for users; of others the type is half of the message.
    of_an_extra = isinstance(error, ImportError) and _EXTRA in str(error)
    if of_an_extra or isinstance(error, CommandError | OSError | WeightsError):
        text = str(error) or type(error).__name__
    elif isinstance(error, MemoryError | torch.OutOfMemoryError):
        # What the library advises is for Python.
        text = str(error).partition(" Take a smaller image")[0] if isinstance(error, MemoryError) else ""
        text = f"{text}{_less_memory(options)}".strip() or type(error).__name__
    else:
        text = (
            f"Unexpected {type(error).__name__}: {error}. "
            f"Set {TRACEBACK_VARIABLE}=1 in the environment to see where it came from."
        )
    return one_line(" ".join([text, *getattr(error, "__notes__", [])]))


def _less_memory(options: Collection[str]) -> str:
    """What a command can do about a lack of memory, as a further sentence."""
    found = [advice for option, advice in _LESS_MEMORY.items() if option in options]
    if not found:
        return ""
    return f" Choose {' or '.join([', '.join(found[:-1]), found[-1]] if len(found) > 1 else found)}."


def full_traceback(error: Exception) -> str:
    """The traceback of an error and of its causes."""
    return "".join(traceback.format_exception(error))
