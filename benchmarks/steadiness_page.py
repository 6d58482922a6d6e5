"""Draws what `steadiness.py` measured: the table, a sheet of stills, and a clip of four ways side by side.

python benchmarks/steadiness_page.py --results benchmarks/results --output docs/_static
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from records import Line, read, table
from steadiness import FOLDER, LOG
from torch import Tensor

from pystyle.images import contact_sheet, read_image, resize, write_image
from pystyle.video import read_clip, write_clip

_COLUMNS = ("warping_error", "flicker", "style", "lpips")
_EDGE = 180
_SHOWN = ("any-style", "any-style-flow", "masters", "masters-flow")


def rows(lines: Sequence[Line]) -> Iterator[list[str]]:
    """The lines of the table; the error also as a part of that of each network that comes with pystyle."""
    errors = {(line["clip"], line["method"]): line["warping_error"] for line in lines}
    for line in sorted(lines, key=lambda line: (line["clip"], line["method"])):
        network = line["method"].partition(",")[0].removesuffix("-steady")
        part = line["warping_error"] / errors[line["clip"], network]
        figures = [f"{line[name]:g}" for name in _COLUMNS]
        yield [line["clip"], line["method"], *figures, f"{part:.2f}"]


def sheet(folder: Path, names: Sequence[str]) -> Tensor:
    """A frame by each of the methods."""
    return contact_sheet(
        [read_image(folder / f"{name}.png") for name in names], columns=3, height=_EDGE, titles=names
    )


def side_by_side(folder: Path, names: Sequence[str]) -> Iterator[Tensor]:
    """The frames of four painted clips in a square."""
    clips = [read_clip(folder / f"{name}.mp4") for name in names]
    for frames in zip(*clips, strict=True):
        small = [resize(frame.image, _EDGE).clamp(0, 1) for frame in frames]
        yield torch.cat([torch.cat(small[:2], 3), torch.cat(small[2:], 3)], 2)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--output", type=Path, default=Path("docs/_static"))
    parser.add_argument("--edge-size", type=int, default=360)
    parser.add_argument("--clip", default="bunny")
    parser.add_argument("--shown", nargs=4, default=_SHOWN, help="as their files are named")
    options = parser.parse_args()
    lines = [line for line in read(options.results / LOG) if line["edge_size"] == options.edge_size]
    print(table(["clip", "method", *_COLUMNS, "of the error"], rows(lines)))
    folder = options.results / FOLDER / f"{options.clip}-{options.edge_size}"
    write_image(sheet(folder, ["unpainted", *options.shown]), options.output / "steadiness.jpg", quality=85)
    write_clip(options.output / "steadiness.mp4", side_by_side(folder, options.shown), rate=25, quality=26)


if __name__ == "__main__":
    main()
