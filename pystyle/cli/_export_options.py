"""The files and options of `pystyle export`."""

import argparse

from pystyle.cli._options import (
    add_max_pixels_option,
    add_report_options,
    add_style_size_option,
)
from pystyle.cli._paths import user_file, user_path
from pystyle.cli._style_options import add_style_weights_option

EXTENSION = ".onnx"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The files and options of the command."""
    add = parser.add_argument
    add(
        "styles",
        metavar="STYLE",
        type=user_path,
        nargs="*",
        help="the style in the file: a name that the network has learned, or a painting; several are blended "
        "(default: none, so that whoever paints chooses)",
    )
    add("-o", "--output", metavar="OUT", type=user_file, required=True, help="the file, which ends in .onnx")
    add(
        "--network",
        metavar="NAME",
        type=user_path,
        default="any-style",
        help="the network: a file of `pystyle train`, or the name of one that comes with pystyle (default: "
        "%(default)s)",
    )
    add(
        "--style-output",
        metavar="FILE",
        type=user_file,
        help="the file that looks at paintings, if no STYLE is named for a network for any style (default: "
        "OUT-style.onnx)",
    )
    add_style_weights_option(add)
    add_style_size_option(add)
    add_max_pixels_option(add)
    add_report_options(parser)
    add("--json", action="store_true", help="print one JSON list about the files")
    # What is transparent in a painting is white, as for all networks.
    parser.set_defaults(background=None)
