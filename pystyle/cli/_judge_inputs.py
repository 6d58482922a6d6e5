"""Which picture is judged beside which photograph and painting."""

import argparse
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pystyle.cli._errors import UsageError
from pystyle.jobs._items import items_of
from pystyle.jobs._manifest import Manifest


class Case(NamedTuple):
    """A picture to be judged.

    Attributes:
        picture: Its path.
        content: That of its photograph.
        style: That of its painting.
        group: The RESULT that it is part of; None if that is the picture alone.
    """

    picture: str
    content: str
    style: str
    group: str | None


def cases_of(options: argparse.Namespace) -> list[Case]:
    """All pictures of a command line.

    Raises:
        UsageError: If a picture has no photograph or painting, or a RESULT no picture.
    """
    content, style = _Partners("--content", options.content), _Partners("--style", options.style)
    cases = list[Case]()
    for result in options.results:
        path = Path(result)
        if path.suffix.lower() == ".jsonl":
            cases += _cases_of_manifest(result, content, style)
        elif path.is_dir():
            names = _images_in(path)
            if not names:
                raise UsageError(f"There is no image in '{result}' that can be read.")
            cases += [Case(str(path / name), content.of(name), style.of(name), result) for name in names]
        else:
            cases.append(Case(result, content.of(path.name), style.of(path.name), None))
    return cases


def _cases_of_manifest(result: str, content: "_Partners", style: "_Partners") -> Iterator[Case]:
    manifest = Manifest(Path(result))
    manifest.read()
    painted = [entry for entry in manifest.entries.values() if not entry.failed]
    if not painted:
        raise UsageError(f"There is no painted picture in the manifest '{result}', or no such file.")
    for entry in painted:
        picture = str(Path(result).parent / entry.output)
        yield Case(picture, content.at(entry.input), style.of(entry.input), result)


class _Partners:
    """What pictures are compared with: one file for all, or the files of a folder by their names.

    Args:
        option: What errors call it.
        path: The file or folder.
    """

    def __init__(self, option: str, path: str) -> None:
        self._option, self._path = option, path
        self._names = _images_in(Path(path)) if Path(path).is_dir() else None

    def of(self, name: str) -> str:
        """The file for a picture of this name, whatever the extensions."""
        if self._names is None:
            return self._path
        bare = PurePosixPath(name).with_suffix("")
        # The picture of a.jpg is a.png, or a.jpg.png where there is an a.tif as well.
        found = [
            other
            for other in self._names
            if PurePosixPath(other) == bare or PurePosixPath(other).with_suffix("") == bare
        ]
        exact = [other for other in found if PurePosixPath(other) == bare]
        if len(exact or found) != 1:
            got = f"{', '.join(found)}" if found else "none"
            raise UsageError(
                f"`{self._option}` must have one image of the name '{bare}' for the picture '{name}', got "
                f"{got} in the folder '{self._path}'."
            )
        return str(Path(self._path) / (exact or found)[0])

    def at(self, name: str) -> str:
        """The file of exactly this name."""
        return self._path if self._names is None else str(Path(self._path) / name)


def _images_in(folder: Path) -> list[str]:
    items, _ = items_of(folder, folder / ".none", ".png")
    return [item.input for item in items]
