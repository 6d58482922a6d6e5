"""Fetching a file of weights: verified, at most once, never half. Free of torch."""

import hashlib
import logging
import os
import re
import secrets
from os import PathLike
from pathlib import Path
from urllib.parse import urlsplit

from pystyle._locks import Lock, locked_file
from pystyle.encoders._weights._cache import (
    OTHER_PLACES,
    cache_directory,
    create_directory,
    is_ready,
    not_writable,
)
from pystyle.encoders._weights._error import WeightsError
from pystyle.encoders._weights._fetch import FetchError, fetch_chunks

_logger = logging.getLogger(__name__)


def download_weights(
    url: str,
    *,
    file_name: str,
    sha256: str,
    size: int | None = None,
    directory: str | PathLike[str] | None = None,
    timeout: float = 30.0,
) -> Path:
    """The path of a verified weights file, which is downloaded unless it is there.

    The file is looked for in ``directory``, else in ``$TORCH_HOME/hub/checkpoints``, else in
    ``$XDG_CACHE_HOME/torch/hub/checkpoints``, else in ``~/.cache/torch/hub/checkpoints``. A file that is
    there is hashed at every call and needs neither the network nor a writable directory; if it is not the
    expected one it is refused and left untouched. A download takes its final name only once length and hash
    are right. Of several processes one downloads and the others wait. With ``PYSTYLE_OFFLINE=1`` in the
    environment the network is never used.

    Args:
        url: The ``http`` or ``https`` address of the file.
        file_name: The name of the file in the cache.
        sha256: The SHA-256 in 64 hexadecimal digits. Its first 8 or more digits are a weaker check, for files
            of which no more is known: they find damage, but not an attacker.
        size: The number of bytes, if known.
        directory: The directory to use instead of the cache of torch.hub.
        timeout: The seconds to wait for the next bytes of the server.

    Returns:
        The path of the file.

    Raises:
        ValueError: If an argument is malformed.
        WeightsError: If the file cannot be had or is not the expected one. The message says how to place it
            by hand.

    Example:
        >>> import hashlib, tempfile
        >>> from pathlib import Path
        >>> from pystyle.encoders._weights import download_weights
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     num_bytes = Path(directory, "tiny.pth").write_bytes(b"weights")
        ...     path = download_weights(
        ...         "https://example.org/tiny.pth",
        ...         file_name="tiny.pth",
        ...         sha256=hashlib.sha256(b"weights").hexdigest(),
        ...         directory=directory,
        ...     )
        >>> path.name
        'tiny.pth'

    Note:
        ``torch.hub.set_dir`` is not followed: the environment decides.
    """
    sha256 = sha256.lower()
    _check_arguments(url, file_name, sha256)
    target = cache_directory(directory) / file_name
    if is_ready(target, sha256):
        return target
    if is_offline():
        raise _unavailable(url, target, sha256, "PYSTYLE_OFFLINE is set")
    create_directory(target.parent)
    try:
        with locked_file(target.with_name(f".{file_name}.lock"), wait=True) as lock:
            # Without locks they may be those of a process that is alive.
            if lock is Lock.HELD:
                _remove_leftovers(target)
            # Another process may have been faster while this one waited for the lock.
            if not is_ready(target, sha256):
                _download(url, target, sha256, size, timeout)
    except FetchError as error:
        raise _unavailable(url, target, sha256, str(error)) from error
    except OSError as error:
        raise not_writable(target.parent, error) from error
    return target


def is_offline() -> bool:
    """Whether ``PYSTYLE_OFFLINE`` in the environment forbids downloads."""
    return os.environ.get("PYSTYLE_OFFLINE", "").lower() not in ("", "0", "false", "no", "off")


def _check_arguments(url: str, file_name: str, sha256: str) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"`url` must start with https:// or http://, got {url!r}.")
    if file_name in ("", "..") or Path(file_name).name != file_name:
        raise ValueError(f"`file_name` must be a name without directories, got {file_name!r}.")
    if re.fullmatch("[0-9a-f]{8,64}", sha256) is None:
        raise ValueError(f"`sha256` must be 64 hexadecimal digits, or their first 8 or more, got {sha256!r}.")


def _download(url: str, target: Path, sha256: str, size: int | None, timeout: float) -> None:
    _logger.info("Downloading %s to %s.", url, target)
    digest = hashlib.sha256()
    partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        # Mode "x" and not tempfile: the file gets the permissions of the user's umask.
        with partial.open("xb") as file:
            for chunk in fetch_chunks(url, size=size, timeout=timeout):
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        found = digest.hexdigest()
        if not found.startswith(sha256):
            raise FetchError(f"the file must have the SHA-256 {sha256}, got {found}")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _remove_leftovers(target: Path) -> None:
    # Under the lock nobody else downloads this file: what is there was left by a process that was killed.
    pattern = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{16}}\.part")
    for path in target.parent.iterdir():
        if pattern.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _unavailable(url: str, target: Path, sha256: str, reason: str) -> WeightsError:
    return WeightsError(
        f"The weights `{url}` could not be downloaded: {reason}. "
        f"To place the file by hand, save it as `{target}`; its SHA-256 must be {sha256}. {OTHER_PLACES}"
    )
