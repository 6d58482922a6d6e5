"""Where the network of a training goes, and where it goes if that does not take it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pystyle.cli._errors import UsageError
from pystyle.cli._outputs import check_new_file
from pystyle.cli._picture import Saved
from pystyle.images._destinations import Destination
from pystyle.images._rescue import free_places
from pystyle.networks import Stylizer

EXTENSION = ".safetensors"


def check_network_file(path: Path, *, overwrite: bool) -> Destination:
    """Refuse a file of another kind, or one that may not be replaced."""
    if path.suffix.lower() != EXTENSION:
        raise UsageError(f"The extension of `--output` must be {EXTENSION}, got '{path}'.")
    check_new_file("--output", path, overwrite=overwrite)
    return Destination("`--output`", path)


@dataclass(frozen=True)
class NetworkFile:
    """The file of a network.

    Attributes:
        path: The file.
        card: What else is to be known of the network.
    """

    path: Path
    card: Mapping[str, Any]

    def save(self, network: Stylizer) -> Saved:
        """Write the network there, or elsewhere if that is impossible.

        Raises:
            Exception: If it cannot be written anywhere.
        """
        try:
            network.save(self.path, card=self.card)
        except Exception as error:
            for place in free_places(self.path, EXTENSION):
                with suppress(Exception):
                    network.save(place, card=self.card)
                    return Saved(f"'{place}'", f"{str(error).rstrip('.')}.", place)
            raise
        return Saved(f"'{self.path}'")
