"""What `pystyle judge` found, as a picture."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from torch import Tensor

from pystyle.cli._judge_report import Judged
from pystyle.images import contact_sheet, resize

_THUMBNAIL = 256
_ON_SHEET = ("lpips", "style", "noise")


def sheet(judged: Sequence[Judged], images: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """A row for each photograph and painting, with their pictures and figures.

    Args:
        judged: The pictures.
        images: Each picture with its content and style.
    """
    rows, titles, captions = [], [], []
    pairs = groupby(zip(judged, images, strict=True), lambda pair: (pair[0].case.content, pair[0].case.style))
    for _, members in pairs:
        found = list(members)
        _, content, style = found[0][1]
        rows.append([content, style, *(picture for _, (picture, _, _) in found)])
        titles.append(["content", "style", *(one.case.picture for one, _ in found)])
        captions.append(["", "", *(_caption(one.figures) for one, _ in found)])
    return contact_sheet(rows, height=_THUMBNAIL, titles=titles, captions=captions)


def thumbnail(image: Tensor) -> Tensor:
    """An image as large as the sheet shows it."""
    return resize(image, _THUMBNAIL, edge="height").cpu()


def _caption(figures: Mapping[str, float]) -> str:
    shown = [key for key in _ON_SHEET if key in figures] if "lpips" in figures else list(figures)
    return "  ".join(f"{key} {figures[key]:.2f}" for key in shown)
