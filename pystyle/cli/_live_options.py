"""The styles and options of `pystyle live`."""

import argparse

from pystyle.cli._machine_options import add_compile_option, add_device_option, add_precision_option
from pystyle.cli._options import (
    add_max_pixels_option,
    add_report_options,
)
from pystyle.cli._painter_options import add_network_option, add_picture_group, add_styles_argument
from pystyle.cli._paths import user_path
from pystyle.cli._values import SECONDS, positive_number

_EDGE_SIZE = 256
"""Pixels; a few pictures a second on processors."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The styles and options of the command."""
    add = parser.add_argument
    add_styles_argument(add)
    add_network_option(add, default="any-style-light")
    _add_source_options(parser)
    add_picture_group(parser, edge_size=_EDGE_SIZE, original="the source")
    add("-o", "--output", metavar="OUT", type=user_path, help="record what is painted; - is standard output")
    add("--no-window", action="store_true", help="show nothing; needs --output or --json")
    add(
        "--seconds",
        metavar="N",
        type=positive_number("--seconds", SECONDS),
        help="how long (default: until q or Esc is pressed, the source ends, or Ctrl-C)",
    )
    add("--json", action="store_true", help="print one JSON object about the run at its end")
    add_report_options(parser)
    add_max_pixels_option(add)
    machine = parser.add_argument_group("the machine").add_argument
    add_device_option(machine)
    add_precision_option(machine)
    add_compile_option(machine)
    # Where a painting is transparent it is white.
    parser.set_defaults(background=None)


def _add_source_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the source").add_mutually_exclusive_group().add_argument
    add(
        "--camera",
        metavar="N",
        default="0",
        help="the number of a camera, the path of its device, or the address of one in the network (default: "
        "%(default)s)",
    )
    add("--screen", action="store_true", help="the screen in place of a camera")
    add("--clip", metavar="FILE", type=user_path, help="a clip that plays as a camera, in its own time")
