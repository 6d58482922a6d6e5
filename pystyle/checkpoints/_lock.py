"""A lock on a folder that one run holds at a time."""

import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pystyle._locks import acquire, release
from pystyle.checkpoints._error import CheckpointError

_LOG = logging.getLogger("pystyle")
_NAME = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """A context in which no other run has the folder.

    Where nothing can be locked, because files cannot be written or the file system has no locks, the logger
    ``pystyle`` says so.

    Args:
        folder: A folder that exists.

    Raises:
        CheckpointError: If another run has it.
    """
    path = folder / _NAME
    try:
        file = acquire(path, wait=False)
    except BlockingIOError as error:
        raise CheckpointError(
            f"The folder '{folder}' is in use by {_holder(path)}. Wait for the end of that run, or name "
            "another folder."
        ) from error
    except OSError as error:
        _LOG.warning("The folder '%s' cannot be locked (%s). No other run may use it.", folder, error)
        yield
        return
    try:
        os.truncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, f"{os.getpid()} {platform.node()}".encode())
        yield
    finally:
        release(path, file)


def _holder(path: Path) -> str:
    try:
        process, _, node = path.read_text().partition(" ")
    except OSError:
        process = node = ""
    if not process:
        return "another run"
    place = "" if node == platform.node() else f" on '{node}'"
    return f"another run, in process {process}{place}"
