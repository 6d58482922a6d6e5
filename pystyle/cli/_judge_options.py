"""The files and options of `pystyle judge`."""

import argparse
from typing import get_args

from pystyle.cli._machine_options import add_device_option
from pystyle.cli._options import add_max_pixels_option, add_report_options
from pystyle.cli._paths import user_file, user_path
from pystyle.cli._values import ORIGINAL_SIZE, one_of, size
from pystyle.metrics._published_trunk import TrunkName

NO_NETWORK = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The files and options of the command."""
    add = parser.add_argument
    add(
        "results",
        metavar="RESULT",
        type=user_path,
        nargs="+",
        help="a picture, a folder of pictures, or the manifest.jsonl of a folder that was painted; - reads a "
        "picture from standard input",
    )
    add(
        "--content",
        metavar="PATH",
        type=user_path,
        required=True,
        help="the photograph; or a folder, whose photograph of the same name is that of a picture",
    )
    add(
        "--style",
        metavar="PATH",
        type=user_path,
        required=True,
        help="the painting, or a folder of paintings, likewise",
    )
    add_max_pixels_option(add)
    add_report_options(parser)
    _add_report(parser)
    looked = parser.add_argument_group("how they are looked at").add_argument
    looked(
        "--network",
        metavar="NAME",
        type=one_of("--network", (*get_args(TrunkName), NO_NETWORK)),
        default="vgg16",
        help="the network of lpips and style: one of alexnet, vgg16, or none for the other figures alone; "
        "best not one that the pictures were made with (default: %(default)s)",
    )
    looked(
        "--size",
        dest="edge_size",
        metavar="PIXELS",
        type=size("--size"),
        default=ORIGINAL_SIZE,
        help="short edge at which pictures are looked at (default: %(default)s)",
    )
    looked(
        "--style-size",
        metavar="PIXELS",
        type=size("--style-size"),
        help="short edge at which paintings are looked at (default: that of the picture)",
    )
    add_device_option(looked)


def _add_report(parser: argparse.ArgumentParser) -> None:
    told = parser.add_argument_group("the report").add_argument
    told("--json", action="store_true", help="print one JSON object, with all settings and versions")
    told("--csv", action="store_true", help="print comma-separated values")
    told(
        "--sheet",
        metavar="FILE",
        type=user_file,
        help="write a sheet: content, style, and the pictures with their figures beneath",
    )
