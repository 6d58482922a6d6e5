"""Styles that clients have uploaded."""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

from pystyle.images._atomic import replace_file
from pystyle.serving._problem import ProblemError

_SECRET = "secret"
_BYTES = 32


class StyleFolder:
    """Files of styles, each under a keyed hash of its bytes and of who has sent it.

    Who knows a picture cannot find out whether another client has uploaded it. The same client gets the same
    address each time.

    Args:
        folder: The folder; it is made.
        most: How many styles are kept.

    Raises:
        OSError: If the folder cannot be made, or written.
    """

    def __init__(self, folder: Path, *, most: int) -> None:
        self._folder, self._most = folder, most
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._secret = _secret_of(folder.parent / _SECRET)

    def __len__(self) -> int:
        return sum(1 for _ in self._files())

    def add(self, data: bytes, owner: str) -> str:
        """Keep a style, and forget those that were not used for the longest time if there are too many.

        Returns:
            Its address.

        Raises:
            OSError: If it cannot be written.
        """
        message = hashlib.sha256(owner.encode()).digest() + hashlib.sha256(data).digest()
        address = hmac.new(self._secret, message, hashlib.sha256).hexdigest()
        path = self._folder / address
        with self._lock:
            if path.is_file():
                path.touch()
            else:
                replace_file(path, data, kind="style")
            files = sorted(self._files(), key=_used, reverse=True)
            for old in files[self._most :]:
                old.unlink(missing_ok=True)
        return address

    def read(self, address: str) -> bytes:
        """The bytes of a style.

        Raises:
            ProblemError: If there is none with this address.
        """
        path = self._folder / address
        if is_address(address):
            with self._lock, contextlib.suppress(FileNotFoundError):
                data = path.read_bytes()
                path.touch()
                return data
        raise ProblemError(
            404, "`style` is no address of a style that is kept here. Upload it to /v1/styles."
        )

    def _files(self) -> Iterator[Path]:
        return (path for path in self._folder.iterdir() if is_address(path.name))


def is_address(text: str) -> bool:
    """Whether this looks like the address of a style, which is also the name of its file and never a path."""
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


def _used(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _secret_of(path: Path) -> bytes:
    """The secret of a folder, which is made when it is first used."""
    with contextlib.suppress(FileNotFoundError):
        found = path.read_bytes()
        if len(found) == _BYTES:
            return found
    made = secrets.token_bytes(_BYTES)
    replace_file(path, made, kind="secret")
    os.chmod(path, 0o600)
    return made
