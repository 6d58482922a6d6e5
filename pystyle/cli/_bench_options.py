"""The options of `pystyle bench`."""

import argparse

from pystyle.cli._bench_work import STYLIZE
from pystyle.cli._machine_options import add_device_option, add_precision_option
from pystyle.cli._paths import user_path
from pystyle.cli._values import integer, integers
from pystyle.networks import pretrained_names

SIZES = (256, 512, 1024)
QUICK_SIZES = (128, 256)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add(
        "what",
        metavar="WHAT",
        type=user_path,
        nargs="*",
        help=f"what is measured: {STYLIZE}, or a network by its name or its file (default: {STYLIZE}, "
        f"{', '.join(pretrained_names())})",
    )
    add(
        "--sizes",
        metavar="N",
        nargs="+",
        type=integers("--sizes", least=1, unit="px"),
        help=f"edges of the pictures in pixels (default: {', '.join(map(str, SIZES))}; of these, what would "
        "take the command beyond two minutes is left out)",
    )
    add("--quick", action="store_true", help=f"half a minute: {' and '.join(map(str, QUICK_SIZES))} pixels")
    add("--json", action="store_true", help="print one JSON object")
    add("--quiet", action="store_true", help="stderr is for errors only")
    machine = parser.add_argument_group("the machine").add_argument
    machine(
        "--threads",
        metavar="N",
        type=integer("--threads", least=1),
        help="how many threads compute (default: as many as torch takes)",
    )
    add_device_option(machine)
    add_precision_option(machine)
