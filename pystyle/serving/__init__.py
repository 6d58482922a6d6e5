"""Painting over HTTP: one process, one thread that computes, a bounded queue, and limits that hold."""

from pystyle.serving._limits import Limits
from pystyle.serving._serve import serve
from pystyle.serving._service import Service

__all__ = ["Limits", "Service", "serve"]
