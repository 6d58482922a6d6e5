"""What `pystyle judge` found: as a table, as values between commas, and as JSON."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pystyle.cli._errors import printable
from pystyle.cli._judge_inputs import Case
from pystyle.metrics import MEASURES


class Judged(NamedTuple):
    """A picture with its figures.

    Attributes:
        case: The picture and what it was compared with.
        size: Its height and width as it was looked at.
        figures: By the names of `MEASURES`.
    """

    case: Case
    size: tuple[int, int]
    figures: Mapping[str, float]


class Table:
    """The lines of a table, each ready as soon as its picture is.

    Args:
        names: Of all lines that may come.
        figures: The names of the columns.
    """

    def __init__(self, names: Iterable[str], figures: Sequence[str]) -> None:
        self._figures = figures
        self._width = max(len(printable(name)) for name in ("picture", *names))

    def head(self) -> str:
        """The names of the columns."""
        return self._line("picture", self._figures)

    def line(self, name: str, figures: Mapping[str, float]) -> str:
        """A picture, or the mean of some."""
        return self._line(name, [f"{figures[key]:.3f}" for key in self._figures])

    def foot(self) -> str:
        """A line on each column."""
        return "\n".join(str(MEASURES[name]) for name in self._figures)

    def _line(self, name: str, cells: Sequence[str]) -> str:
        widths = [max(len(figure), 6) for figure in self._figures]
        right = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
        return "  ".join([f"{printable(name):<{self._width}}", *right])


def mean_of(group: str) -> str:
    """The name of the line with the means of a folder or manifest."""
    return f"mean of {group}"


def means(judged: Iterable[Judged]) -> dict[str, dict[str, float]]:
    """The means of folders and manifests, by their paths, with the number of pictures under ``count``."""
    found: dict[str, list[Judged]] = {}
    for one in judged:
        if one.case.group is not None:
            found.setdefault(one.case.group, []).append(one)
    return {
        group: {
            "count": len(members),
            **{
                key: math.fsum(member.figures[key] for member in members) / len(members)
                for key in members[0].figures
            },
        }
        for group, members in found.items()
    }


def as_csv(judged: Sequence[Judged]) -> str:
    """A line for each picture."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    lines = [{**_about(one), **one.figures} for one in judged]
    writer.writerow(lines[0])
    writer.writerows(line.values() for line in lines)
    return stream.getvalue().rstrip("\n")


def facts(
    judged: Sequence[Judged],
    failed: Mapping[str, str],
    *,
    settings: Mapping[str, Any],
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """All that there is to know."""
    return {
        "count": len(judged),
        "pictures": [{**_about(one), **one.figures} for one in judged],
        "means": means(judged),
        "failed": dict(failed),
        "measures": {
            name: {"better": MEASURES[name].better, "blind_to": MEASURES[name].blind_to}
            for name in (judged[0].figures if judged else ())
        },
        "settings": dict(settings),
        "versions": dict(versions),
    }


def _about(judged: Judged) -> dict[str, Any]:
    """The picture, without its figures, one of which is ``style``."""
    case, (height, width) = judged.case, judged.size
    paths = {"picture": case.picture, "content_path": case.content, "style_path": case.style}
    return {**paths, "width": width, "height": height}
