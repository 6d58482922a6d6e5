"""States of runs in files: complete at any instant, checked when read, and without anything that can run."""

from pystyle.checkpoints._checkpoints import Checkpoints
from pystyle.checkpoints._description import describe, differences, fingerprint
from pystyle.checkpoints._encoding import decode, encode
from pystyle.checkpoints._environment import environment
from pystyle.checkpoints._error import CheckpointError
from pystyle.checkpoints._folder import CheckpointFolder

__all__ = [
    "CheckpointError",
    "CheckpointFolder",
    "Checkpoints",
    "decode",
    "describe",
    "differences",
    "encode",
    "environment",
    "fingerprint",
]
