"""Locks between processes that end with their holder, however that ends. Free of torch.

The operating system keeps them, on open files: what a killed process leaves behind is a file, and no lock.
Only a process that it forked, and that outlives it, still has that file open.
"""

import enum
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

CAN_WAIT: Final = sys.platform != "win32"
"""Whether a lock can be waited for, or shared."""

_FAR = 2**30
"""Where Windows locks a byte; nobody could read what the holder has written if it were there."""


class Lock(enum.Enum):
    """What became of an attempt to lock a file."""

    HELD = enum.auto()
    BUSY = enum.auto()
    UNAVAILABLE = enum.auto()


class NoLocksError(OSError):
    """Nothing can be locked here: some network file systems, and Windows if it is to wait or to share."""


@contextmanager
def locked_file(path: Path, *, wait: bool) -> Iterator[Lock]:
    """A context in which no other process has a lock file, if there are locks at all.

    Args:
        path: The file; it is made and removed.
        wait: Wait for another holder to end; otherwise the context gets ``BUSY`` if there is one.

    Raises:
        OSError: If the file cannot be made.
    """
    try:
        file = acquire(path, wait=wait)
    except BlockingIOError:
        file, outcome = None, Lock.BUSY
    except NoLocksError:
        file, outcome = None, Lock.UNAVAILABLE
    else:
        outcome = Lock.HELD
    try:
        yield outcome
    finally:
        if file is not None:
            release(path, file)


def acquire(path: Path, *, wait: bool) -> int:
    """Make a lock file and lock it.

    Returns:
        The open file, for :func:`release`.

    Raises:
        BlockingIOError: If another process has it, and `wait` is false.
        NoLocksError: If nothing can be locked here.
        OSError: If the file cannot be made.
    """
    while True:
        file = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            lock(file, wait=wait)
        except BaseException:
            os.close(file)
            raise
        # Whoever had it before may have removed it in the meantime.
        if _is_at(path, file):
            return file
        os.close(file)


def release(path: Path, file: int) -> None:
    """Give back what :func:`acquire` gave, and remove the file where an open one can be removed."""
    if sys.platform == "win32":
        os.close(file)
        return
    try:
        # Removed while it is still held, and only if it is not of another in a folder that was made anew.
        if _is_at(path, file):
            path.unlink(missing_ok=True)
    finally:
        # A forked process may have it open, too.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def lock(file: int, *, wait: bool, shared: bool = False) -> None:
    """Lock an open file until it is closed.

    Raises:
        BlockingIOError: If another process has it, and `wait` is false.
        NoLocksError: If it cannot be locked in this way.
    """
    if sys.platform == "win32":
        if wait or shared:
            raise NoLocksError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error
        return
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, operation if wait else operation | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        # What emulates these locks by others may say so in this way.
        if error.errno == errno.EACCES:
            raise BlockingIOError from error
        raise NoLocksError(error.errno, error.strerror) from error


def lock_if_possible(file: int, *, wait: bool, shared: bool = False) -> bool:
    """Lock an open file until it is closed, if files can be locked here; whether no other process has it."""
    try:
        lock(file, wait=wait, shared=shared)
    except BlockingIOError:
        return False
    except NoLocksError:
        # One process at a time has to do.
        pass
    return True


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
