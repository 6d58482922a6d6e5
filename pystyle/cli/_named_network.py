"""A network by its name or its file."""

from pathlib import Path

import torch

from pystyle.cli._errors import CommandError, UsageError
from pystyle.cli._network_file import EXTENSION
from pystyle.networks import Stylizer, pretrained


def is_network_name(text: str) -> bool:
    """Whether this is the name of a network that comes with the library, and not the path of a file."""
    path = Path(text)
    return path.suffix.lower() != EXTENSION and path.name == text and not path.is_file()


def named_network(given: str, option: str, device: torch.device) -> Stylizer:
    """The network that an option names.

    Raises:
        UsageError: If there is none of this name.
        CommandError: If the file has none, or cannot be read.
    """
    if is_network_name(given):
        try:
            network: Stylizer = pretrained(given)
        except ValueError as error:
            raise UsageError(str(error).replace("`name`", f"`{option}`")) from error
    else:
        try:
            network = Stylizer.load(given)
        except OSError as error:
            raise CommandError(
                f"`{option}` must be a file that can be read, got '{given}': {error.strerror or error}."
            ) from error
        except ValueError as error:
            raise CommandError(str(error).replace("`path`", f"`{option}`")) from error
    return network.to(device).eval()
