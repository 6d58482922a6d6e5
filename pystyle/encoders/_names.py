from collections.abc import Iterable

from torch import nn


def check_names(argument: str, names: Iterable[str]) -> None:
    """Check that modules can have these names.

    Raises:
        ValueError: If one is empty, contains a dot, or is that of a method that torch's modules have.
    """
    for name in names:
        if not name or "." in name:
            raise ValueError(f"The names of `{argument}` must not be empty or contain a dot, got {name!r}.")
        if hasattr(nn.ModuleDict, name):
            raise ValueError(
                f"The names of `{argument}` must not be those of methods of torch's modules, got {name!r}."
            )
