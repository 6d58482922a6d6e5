"""The record of a job in a folder that may be a bucket, where nothing can be added to a file.

It has a file for the configuration, and one for each block of images, which is written when their pictures
are. So what was killed in a block has left no record of it, and a block that is painted again in the same
call replaces its own record.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from pystyle.checkpoints import differences, environment
from pystyle.jobs._entry import JobEntry
from pystyle.jobs._error import JobError
from pystyle.jobs._manifest import Configuration
from pystyle.jobs._store import Store

MANIFEST = "manifest"
"""The folder of the record."""
_CONFIGURATION = f"{MANIFEST}/configuration.json"


class Parts:
    """The record of a job.

    Args:
        store: The folder of the pictures.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(
        self,
        configuration: Configuration,
        outputs: Iterable[str],
        names: Sequence[str],
        *,
        run: str,
        overwrite: bool,
    ) -> str:
        """Begin a job, or go on with it.

        Args:
            configuration: What it is to do.
            outputs: The names of its pictures.
            names: The files that are there.
            run: A name of the call.
            overwrite: Whether pictures of another job, or of none, may be replaced.

        Returns:
            The call with which the job was begun. Pictures that an earlier one recorded may have been
            replaced since, and not all of those that replaced them need be recorded.

        Raises:
            JobError: If there are pictures of another job, or of none, and `overwrite` is false.
        """
        there, address = set(names), self._store.address
        present, begun = None, ""
        if _CONFIGURATION in there:
            record = json.loads(self._store.read(_CONFIGURATION))
            present = Configuration(record["configuration"], record["description"])
            begun = record.get("begun", begun)
        if present is not None and present.sha256 == configuration.sha256:
            return begun
        foreign = next((name for name in outputs if name in there), None)
        if foreign is not None and not overwrite:
            changed = [] if present is None else differences(present.description, configuration.description)
            of = f"of a job with other options: {'; '.join(changed[:3])}" if changed else "of no job"
            raise JobError(
                f"The folder '{address}' has the file '{foreign}', which is {of}. Name another folder, or "
                "replace such files with `overwrite=True`."
            )
        record = {
            "configuration": configuration.sha256,
            "description": dict(configuration.description),
            "begun": run,
            "environment": environment(),
        }
        self._store.write(_CONFIGURATION, json.dumps(record).encode())
        return run

    def entries(
        self, names: Sequence[str], configuration: Configuration, *, begun: str
    ) -> dict[str, JobEntry]:
        """The last entry of each image since the job was begun, by the name of the image."""
        found = {}
        for name in sorted(names):
            if name.startswith(f"{MANIFEST}/") and name.endswith(".jsonl"):
                for entry in self.read(name):
                    if entry.configuration == configuration.sha256 and entry.run >= begun:
                        found[entry.input] = entry
        return found

    def read(self, name: str) -> list[JobEntry]:
        """The entries of a block; half a line, which a broken connection has left, counts for nothing."""
        entries = []
        for line in self._store.read(name).splitlines():
            try:
                entries.append(JobEntry(**json.loads(line)))
            except (ValueError, TypeError):
                continue
        return entries

    def find(self, name: str) -> list[JobEntry]:
        """The entries of a block, or none if it is not there."""
        try:
            return self.read(name)
        except FileNotFoundError:
            return []

    def add(self, name: str, entries: Sequence[JobEntry]) -> None:
        """Write the entries of a block."""
        lines = "".join(f"{json.dumps(asdict(entry))}\n" for entry in entries)
        self._store.write(name, lines.encode())


def name_of_part(run: str, block: int) -> str:
    """The file of a block; those of a later run come later."""
    return f"{MANIFEST}/{run}-{block:08d}.jsonl"
