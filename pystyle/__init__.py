"""Neural style transfer for researchers."""

from pystyle._version import __version__

__all__ = ["__version__"]
