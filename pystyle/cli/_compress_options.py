"""The files and options of `pystyle compress`."""

import argparse

from pystyle.cli._options import add_max_pixels_option, add_report_options
from pystyle.cli._paths import user_file, user_path
from pystyle.cli._values import integer, number, size

INT8_EXTENSION = ".onnx"
_SIZE = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The files and options of the command."""
    add = parser.add_argument
    add(
        "network",
        metavar="NETWORK",
        type=user_path,
        help="a file of `pystyle train`, or the name of a network that comes with pystyle",
    )
    add(
        "-o",
        "--output",
        metavar="OUT",
        type=user_file,
        required=True,
        help="the smaller network, which ends in .safetensors; with `--int8` in .onnx",
    )
    how = parser.add_argument_group("how it becomes smaller").add_argument
    how(
        "--prune",
        metavar="SHARE",
        type=number("--prune", most=0.9),
        default=0.0,
        help="the share of channels that is cut out, those that matter least, such as 0.2; for networks of "
        "learned styles (default: none)",
    )
    how(
        "--bits",
        metavar="N",
        type=integer("--bits", least=2, most=8),
        help="bits of a weight in the mean, 2 to 8, by a table for each layer (default: 6)",
    )
    how(
        "--int8",
        action="store_true",
        help="write a file of ONNX in one style, which computes in whole numbers of 8 bits; their ranges are "
        "those of the photographs of `--calibration`",
    )
    how(
        "--calibration",
        metavar="PHOTO",
        type=user_path,
        nargs="+",
        help="photographs for `--int8`, others than those of `--content` (default: those of `--content`)",
    )
    _add_measurement(parser)
    add_max_pixels_option(add)
    add_report_options(parser)
    # What is transparent is white, as for all networks.
    parser.set_defaults(background=None)


def _add_measurement(parser: argparse.ArgumentParser) -> None:
    told = parser.add_argument_group("what both networks paint, and are compared by").add_argument
    told(
        "--content",
        metavar="PHOTO",
        type=user_path,
        nargs="+",
        required=True,
        help="photographs that the network has not learned from",
    )
    told(
        "--style",
        metavar="PAINTING",
        type=user_path,
        nargs="+",
        required=True,
        help="paintings, for the photographs by turns; with learned styles that of `--style-name`",
    )
    told(
        "--style-name",
        metavar="NAME",
        help="the learned style that is painted (default: the only one, or that with the name of the file)",
    )
    told(
        "--size",
        dest="edge_size",
        metavar="PIXELS",
        type=size("--size"),
        default=_SIZE,
        help="short edge of photographs and paintings (default: %(default)s)",
    )
    told("--json", action="store_true", help="print one JSON object")
