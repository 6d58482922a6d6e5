"""The folder of a job: who is at work in it, what it is for, and what a killed process left in it."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pystyle._locks import lock_if_possible
from pystyle.checkpoints import differences, environment
from pystyle.images._atomic import sync_folder
from pystyle.jobs._error import JobError
from pystyle.jobs._items import Item
from pystyle.jobs._manifest import Configuration, Manifest

MANIFEST = "manifest.jsonl"
_INNER = ".pystyle"
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


class JobFolder:
    """Where the files of a job lie.

    Args:
        path: The folder of the pictures.

    Attributes:
        manifest: The file of the manifest.
        targets: The folder of what is computed of the styles alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path / MANIFEST
        self.targets = path / _INNER / "targets"

    def claim(self, item: Item) -> Path:
        """The file that stands for an image while somebody works on it."""
        return self.path / _INNER / "claims" / hashlib.sha256(os.fsencode(item.output)).hexdigest()[:32]

    @contextmanager
    def opened(
        self, configuration: Configuration, items: Sequence[Item], *, overwrite: bool
    ) -> Iterator[None]:
        """A context in which the folder is for this job, and whoever is at work in it does the same.

        Raises:
            JobError: If it has the pictures of another job or of none, and `overwrite` is false, or another
                one is going on.
        """
        (self.path / _INNER / "claims").mkdir(parents=True, exist_ok=True)
        with self._presence() as descriptor:
            # Others who were at work the first time may have come to an end since.
            for _ in range(2):
                if lock_if_possible(descriptor, wait=False):
                    self._clean()
                    self._begin(configuration, items, overwrite=overwrite)
                # From one lock to the other there is an instant without any: what counts is read after it.
                lock_if_possible(descriptor, wait=True, shared=True)
                if self._is_for(configuration):
                    break
            else:
                raise self._is_for_another(configuration)
            yield
            # The last one to leave also removes what those left who were killed on the way.
            if lock_if_possible(descriptor, wait=False):
                self._clean()

    @contextmanager
    def joined(self, configuration: Configuration) -> Iterator[None]:
        """A context for another process of a job that was opened.

        Raises:
            JobError: If the folder is for another job by now.
        """
        with self._presence() as descriptor:
            lock_if_possible(descriptor, wait=True, shared=True)
            if not self._is_for(configuration):
                raise self._is_for_another(configuration)
            yield

    def read(self) -> Manifest:
        """The manifest as it is now."""
        manifest = Manifest(self.manifest)
        manifest.read()
        return manifest

    @contextmanager
    def _presence(self) -> Iterator[int]:
        """The open file that is locked by whoever is at work."""
        descriptor = os.open(self.path / _INNER / "at-work", os.O_CREAT | os.O_RDWR, 0o666)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _is_for(self, configuration: Configuration) -> bool:
        present = self.read().configuration
        return present is not None and present.sha256 == configuration.sha256

    def _is_for_another(self, configuration: Configuration) -> JobError:
        differing = _what_differs(self.read().configuration, configuration)
        return JobError(
            f"In the folder '{self.path}' another job is going on{differing}. Wait for its end, or name "
            "another folder."
        )

    def _begin(self, configuration: Configuration, items: Sequence[Item], *, overwrite: bool) -> None:
        manifest = self.read()
        present = manifest.configuration
        if present is not None and present.sha256 == configuration.sha256:
            return
        done = sum(not entry.failed for entry in manifest.entries.values())
        if present is not None and done and not overwrite:
            pictures = f"{done} picture{'s' if done > 1 else ''}"
            raise JobError(
                f"The folder '{self.path}' has {pictures} of a job with other options"
                f"{_what_differs(present, configuration)}. Give the options of that job, name another "
                "folder, or replace them with `overwrite=True`."
            )
        foreign = [item.output for item in items if (self.path / item.output).exists()]
        if present is None and foreign and not overwrite:
            raise JobError(
                f"The folder '{self.path}' has the file '{foreign[0]}', which is of no job. Name another "
                "folder, or replace such files with `overwrite=True`."
            )
        manifest.add_configuration(configuration, environment())
        sync_folder(self.path)

    def _clean(self) -> None:
        """Remove what killed processes left behind. Nobody is at work."""
        for folder, _, names in os.walk(self.path):
            for name in names:
                if _TEMPORARY.fullmatch(name):
                    (Path(folder) / name).unlink(missing_ok=True)
        for claim in (self.path / _INNER / "claims").iterdir():
            claim.unlink(missing_ok=True)


def _what_differs(present: Configuration | None, configuration: Configuration) -> str:
    if present is None:
        return ""
    changed = differences(present.description, configuration.description)
    more = f", and {len(changed) - 3} more" if len(changed) > 3 else ""
    return f": {'; '.join(changed[:3])}{more}"
