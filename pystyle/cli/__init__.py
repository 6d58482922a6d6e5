"""The command `pystyle`: pictures without a line of Python."""

from pystyle.cli._start import main

__all__ = ["main"]
