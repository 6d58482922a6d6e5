"""Locks between processes that end with their holder, however it ends.

The operating system drops them, so that no stale one is left after SIGKILL. Where there are none (Windows,
some network file systems), everything is granted, and one process at a time has to do.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

HAVE_LOCKS: Final = sys.platform != "win32"


def lock(descriptor: int, *, wait: bool, shared: bool = False) -> bool:
    """Lock an open file until it is closed; whether that could be done."""
    if sys.platform == "win32":
        return True
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, operation if wait else operation | fcntl.LOCK_NB)
    except OSError as error:
        # Others say that the file system knows no locks.
        return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
    return True


@contextmanager
def claimed(path: Path, *, wait: bool) -> Iterator[bool]:
    """A context in which nobody else has claimed what the file stands for.

    Args:
        path: The file; it is made and removed.
        wait: Wait for another holder to end. Otherwise the context gets False if there is one.
    """
    if not HAVE_LOCKS:
        yield True
        return
    descriptor = _acquired(path, wait=wait)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            # Removed while it is still held; who waits for it notices and takes a new one.
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _acquired(path: Path, *, wait: bool) -> int | None:
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            if not lock(descriptor, wait=wait):
                os.close(descriptor)
                return None
            if _is_still_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_still_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
