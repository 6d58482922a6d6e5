"""The one error of this package. Free of torch, so that the download can run without it."""


class WeightsError(RuntimeError):
    """The error for weights that are missing, damaged, unsafe or of the wrong kind.

    Every message names the file or the address, what was expected, what was found, and what to do.

    Example:
        >>> from pystyle.encoders._weights import WeightsError, load_weights_file
        >>> try:
        ...     load_weights_file("no_such_file.pth")
        ... except WeightsError as error:
        ...     print("refused")
        refused
    """


def brief(error: Exception) -> str:
    """The beginning of a message, in one line: torch names all keys of a network that do not fit."""
    line = " ".join(str(error).split())
    return line if len(line) <= 300 else f"{line[:300]} ..."
