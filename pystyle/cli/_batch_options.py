"""The options of `pystyle stylize --batch`."""

import argparse

from pystyle.cli._options import AddArgument
from pystyle.cli._paths import user_file, user_path
from pystyle.cli._values import integer, one_of

FORMATS = ("png", "jpg", "webp", "avif", "tif", "bmp", "ppm", "jp2")


def add_batch_options(parser: argparse.ArgumentParser) -> None:
    """The options that are for a folder of photographs."""
    add = parser.add_argument_group("many photographs, instead of CONTENT, STYLE and OUT").add_argument
    add(
        "--batch",
        metavar="FOLDER",
        type=user_file,
        help="paint all images in a folder and below it; the same command again does what is missing",
    )
    add(
        "--style",
        dest="batch_styles",
        metavar="FILE",
        nargs="+",
        type=user_path,
        help="a painting; several are blended",
    )
    add(
        "--output-dir",
        metavar="FOLDER",
        type=user_file,
        help="where the pictures go, and the record of the job",
    )
    add_format_option(add)
    add_work_options(add)


def add_format_option(add: AddArgument) -> None:
    """The format of the pictures of a folder."""
    add(
        "--format",
        metavar="NAME",
        type=one_of("--format", FORMATS),
        help=f"of the pictures: one of {', '.join(FORMATS)} (default: png)",
    )


def add_work_options(add: AddArgument) -> None:
    """Who paints the images of a folder, and whether they are tried again."""
    add(
        "--workers",
        metavar="N",
        type=integer("--workers", least=1),
        help="processes that share the work and the cores (default: 1)",
    )
    add(
        "--on",
        metavar="NAME",
        type=one_of("--on", ("processes", "ray")),
        help="what --workers are: processes of this machine, or ray, on all machines of its cluster, which "
        "must see the same folders (default: processes)",
    )
    add("--retry-failed", action="store_true", help="try images again that failed before")
