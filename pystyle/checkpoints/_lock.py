"""A lock on a folder that one run holds at a time, and that ends with its process, however that ends.

The operating system keeps it, on an open file: what a killed process leaves behind is a file, and no lock.
Only a process that it forked, and that outlives it, still has that file open.
"""

import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pystyle.checkpoints._error import CheckpointError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOG = logging.getLogger("pystyle")
_NAME = ".lock"
_FAR = 2**30
"""Where Windows locks a byte; nobody could read the name of the holder if it were there."""


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
        file = _acquired(path)
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
        _release(path, file)


def _acquired(path: Path) -> int:
    while True:
        file = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            _lock(file)
        except BaseException:
            os.close(file)
            raise
        # Whoever had it before may have removed it in the meantime.
        if _is_at(path, file):
            return file
        os.close(file)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _release(path: Path, file: int) -> None:
    if sys.platform == "win32":
        os.close(file)
        return
    # Removed while it is still held, and only if it is not that of a run in a folder that was made anew.
    if _is_at(path, file):
        path.unlink()
    fcntl.flock(file, fcntl.LOCK_UN)
    os.close(file)


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        process, _, node = path.read_text().partition(" ")
    except OSError:
        process = node = ""
    if not process:
        return "another run"
    place = "" if node == platform.node() else f" on '{node}'"
    return f"another run, in process {process}{place}"
