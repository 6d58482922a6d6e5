"""The options of `pystyle serve`."""

import argparse
from collections.abc import Callable
from functools import partial

from pystyle.cli._machine_options import add_device_option, add_precision_option
from pystyle.cli._options import default_of
from pystyle.cli._paths import user_path
from pystyle.cli._values import GIBIBYTES, PIXELS, SECONDS, integer, positive_number
from pystyle.serving import Limits, serve

_MEGABYTES = {"kb": 1e-3, "mb": 1.0, "m": 1.0, "mib": 2**20 / 1e6, "gb": 1e3}
"""Units of files in megabytes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add(
        "--host",
        metavar="ADDRESS",
        default=default_of(serve, "host"),
        help="where to listen: 0.0.0.0 or :: for other machines, too (default: %(default)s)",
    )
    add(
        "--port",
        metavar="N",
        type=integer("--port", least=0, most=65535),
        default=default_of(serve, "port"),
        help="the port; 0 for any that is free (default: %(default)s)",
    )
    add(
        "--network",
        metavar="NAME",
        type=user_path,
        nargs="+",
        help="the networks: files of `pystyle train`, or names of those that come with pystyle "
        "(default: all that come with it)",
    )
    add(
        "--folder",
        metavar="DIR",
        type=user_path,
        help="where uploaded styles and jobs are kept, so that they outlive a restart (default: a "
        "temporary one)",
    )
    add(
        "--api-keys",
        metavar="FILE",
        type=user_path,
        help="a file with one key a line, of which clients must send one (default: none is needed)",
    )
    add("--no-page", action="store_true", help="answer programs only: nothing is shown to browsers")
    add("--quiet", action="store_true", help="stderr is for errors only")
    _add_limits(parser)
    machine = parser.add_argument_group("the machine").add_argument
    add_device_option(machine)
    add_precision_option(machine)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    add, limits = parser.add_argument_group("the limits").add_argument, Limits()
    sizes = {
        "--max-upload": (_MEGABYTES, 1e6, "largest body of a request", limits.upload_bytes),
        "--max-pixels": (PIXELS, 1, "largest area of an uploaded picture", limits.upload_pixels),
        "--max-picture": (PIXELS, 1, "largest area of a picture that is made", limits.picture_pixels),
    }
    for option, (units, factor, text, most) in sizes.items():
        convert = positive_number(option, units)
        add(
            option,
            metavar="N" if factor == 1 else "MB",
            type=partial(_rounded, convert, factor),
            help=f"the {text} (default: {most / factor:.9g})",
        )
    counts = {
        "--queue-length": (
            "requests with pictures at a time; others are told to come back",
            limits.queue_length,
        ),
        "--batch-size": ("pictures of one size that are painted at once", limits.batch_size),
        "--max-jobs": ("jobs that wait or run", limits.num_jobs),
    }
    for option, (text, most) in counts.items():
        add(option, metavar="N", type=integer(option, least=1), help=f"{text} (default: {most})")
    add(
        "--job-seconds",
        metavar="N",
        type=positive_number("--job-seconds", SECONDS),
        help=f"how long a job may take (default: {limits.job_seconds:g})",
    )
    add(
        "--memory",
        metavar="GIB",
        type=positive_number("--memory", GIBIBYTES),
        help="what a job may take, or with a unit: 4GB (default: most of what is free)",
    )


def _rounded(convert: Callable[[str], float], factor: float, text: str) -> int:
    return round(factor * convert(text))
