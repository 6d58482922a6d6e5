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
    if "--batch" in usage and _names_style(argv) and "are required" in message:
        return (
            " `--style` is for `--batch`. Without it the painting stands behind the photograph, with no "
            "option: `pystyle stylize CONTENT STYLE -o OUT`."
        )
    several = set(re.findall(r"(--[a-z0-9-]+) (\S+) \[\2 \.\.\.\]", " ".join(usage.split())))
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


def _names_style(argv: Sequence[str]) -> bool:
    names = {argument.partition("=")[0] for argument in argv}
    return "--style" in names and "--batch" not in names


def _sentence(option: str, taken: Sequence[str], files: Sequence[str]) -> str:
    if len(taken) == 1:
        # Whether this is one of the pictures or its own, only who wrote it knows.
        return (
            f"`{option}` took '{taken[0]}', since it takes all that follows it. Name the pictures before it."
        )
    # Masks are files as well: of those the first are its own.
    own = [value for value in taken if value not in files] or taken[: max(len(taken) - 2, 1)]
    names = ", ".join(repr(value) for value in taken if value in files and value not in own)
    return (
        f"`{option}` took {names or repr(files[-1])} as well, since it takes all that follows it. Name "
        f"the pictures before it, or write `{option}={','.join(own)}`."
    )
