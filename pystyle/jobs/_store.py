"""A folder under an address that `fsspec` knows: of a disk, of a bucket."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pystyle.images._atomic import replace_file


class Store:
    """The files below an address.

    Args:
        address: A path, or the address of a file system of `fsspec`, such as ``"s3://bucket/photos"``.
        options: What its file system is made with, such as keys.
        label: How errors call the address.

    Raises:
        ImportError: If what this file system needs is not installed; the message names the package.
        ValueError: If there is no such file system.
    """

    def __init__(
        self, address: str | os.PathLike[str], options: Mapping[str, Any] | None = None, *, label: str
    ) -> None:
        import fsspec

        self.address = os.fspath(address)
        if "://" not in self.address:
            # Another process has another current folder.
            self.address = os.path.abspath(os.path.expanduser(self.address))
        try:
            self._files, root = fsspec.url_to_fs(self.address, **(options or {}))
        except ValueError as error:
            raise ValueError(
                f"{label} must be a path or an address that fsspec knows, got '{self.address}': {error}."
            ) from error
        self._root = root.rstrip("/")
        protocol = self._files.protocol
        self._is_local = "file" in ([protocol] if isinstance(protocol, str) else protocol)

    def names(self) -> list[str]:
        """The files in it and below it, with slashes, in the order of their names."""
        if not self._files.isdir(self._root):
            return []
        return sorted(path.removeprefix(self._root).lstrip("/") for path in self._files.find(self._root))

    def is_folder(self) -> bool:
        """Whether there is such a folder."""
        return bool(self._files.isdir(self._root))

    def contains(self, other: "Store") -> str | None:
        """The name of another folder in this one; None if it does not lie here."""
        if type(self._files) is not type(other._files) or self._files != other._files:
            return None
        outer, inner = self._place(), other._place()
        return inner.removeprefix(outer).strip("/") if f"{inner}/".startswith(f"{outer}/") else None

    def _place(self) -> str:
        """Where it is, which several paths may lead to."""
        return Path(self._root).resolve().as_posix().rstrip("/") if self._is_local else self._root

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            OSError: If it cannot be read.
        """
        data: bytes = self._files.cat_file(f"{self._root}/{name}")
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a file as a whole: a reader sees it complete, or not at all.

        Buckets do so by themselves. A file system that is neither a disk nor a bucket, such as that of SFTP,
        may show a part of it for a while.

        Raises:
            OSError: If it cannot be written.
        """
        path = f"{self._root}/{name}"
        if self._is_local:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, data, kind="file")
        else:
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(path, data)
