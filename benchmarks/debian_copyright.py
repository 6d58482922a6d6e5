"""Reads who made a file of a Debian package, and under which licence, from its machine-readable copyright
file.

The format is that of https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/: the last paragraph
whose patterns match a file is about it.
"""

from email.parser import Parser
from fnmatch import fnmatchcase
from pathlib import PurePosixPath


class Licences:
    """The licences of the files of a package.

    Args:
        text: The copyright file.
    """

    def __init__(self, text: str) -> None:
        self._paragraphs = [
            (
                fields["Files"].split(),
                fields["License"].split("\n")[0].strip(),
                _authors(fields["Copyright"] or ""),
            )
            for paragraph in text.split("\n\n")
            if (fields := Parser().parsestr(paragraph.strip() + "\n"))
            and fields["Files"]
            and fields["License"]
        ]

    def of(self, path: str) -> tuple[str, str]:
        """The licence of a file and its authors; empty texts if no paragraph names it.

        Packages convert pictures to other formats and move them, so the end of a name is not compared, and a
        pattern may match the end of the path.
        """
        stem = str(PurePosixPath(path).with_suffix(""))
        for patterns, licence, authors in reversed(self._paragraphs):
            for pattern in patterns:
                bare = pattern if pattern.endswith("*") else str(PurePosixPath(pattern).with_suffix(""))
                if fnmatchcase(stem, f"*/{bare}") or fnmatchcase(stem, bare):
                    return licence, authors
                folder, _, name = bare.rpartition("/")
                # A folder of the sources that the package does not have, such as that of a version.
                if folder.replace(".", "").isdigit() and PurePosixPath(stem).name == name:
                    return licence, authors
        return "", ""


def _authors(field: str) -> str:
    return " ".join(field.split())
