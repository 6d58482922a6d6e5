"""Files that an option with several values took for its own."""

import os
import re
from collections.abc import Sequence


def swallowed_files(argv: Sequence[str], usage: str, message: str) -> str:
    """What to do about an option that took the pictures behind it, as a further sentence.

    Args:
        argv: The arguments of the command.
        usage: The usage of the command, which says what takes several values.
        message: What is wrong: that there are no pictures, or the values of the option.

    Returns:
        The sentence, after a space; nothing if no option took a file.

    Example:
        >>> usage = "pystyle stylize [--layers LAYER [LAYER ...]] CONTENT STYLE"
        >>> swallowed_files(["--layers", "relu1_1", "-"], usage, "The following arguments are required: ...")
        " `--layers` took '-' as well, since it takes all that follows it. Name the pictures before it, ..."
    """
    several = set(re.findall(r"(--[a-z-]+) (\S+) \[\2 \.\.\.\]", " ".join(usage.split())))
    for index, argument in enumerate(argv):
        if argument not in {name for name, _ in several}:
            continue
        if "are required" not in message and argument not in message:
            continue
        taken: list[str] = []
        for value in argv[index + 1 :]:
            if value.startswith("-") and value != "-":
                break
            taken.append(value)
        files = [value for value in taken if os.path.isfile(value) or value == "-"]
        if files:
            return f" {_sentence(argument, taken, files)}"
    return ""


def _sentence(option: str, taken: Sequence[str], files: Sequence[str]) -> str:
    # Masks are files as well: of those the first are its own.
    own = [value for value in taken if value not in files] or taken[: max(len(taken) - 2, 1)]
    names = ", ".join(repr(value) for value in taken if value in files and value not in own)
    return (
        f"`{option}` took {names or repr(files[-1])} as well, since it takes all that follows it. Name "
        f"the pictures before it, or write `{option}={','.join(own)}`."
    )
