"""The options that the commands share. Their defaults are those of the functions that they are for."""

import argparse
import inspect
from collections.abc import Callable
from typing import Any

from pystyle.cli._values import (
    ORIGINAL_SIZE,
    color,
    integer,
    name_or_integers,
    name_or_positive_number,
    one_of,
    pixels,
    size,
)
from pystyle.images import write_image
from pystyle.images._read import DEFAULT_MAX_PIXELS
from pystyle.stylization import stylize
from pystyle.stylization._recipe import STEPS, STRENGTHS

LARGEST_SEED = 2**63 - 1
STYLE_SIZE: int = inspect.signature(stylize).parameters["edge_size"].default
"""The short edge at which paintings are looked at if none is given."""

AddArgument = Callable[..., argparse.Action]
"""`add_argument` of a group, which functions share because another group would have another heading."""


def default_of(function: Any, parameter: str) -> Any:
    """The default of a parameter.

    Example:
        >>> from pystyle.images import write_image
        >>> default_of(write_image, "bits")
        8
    """
    return inspect.signature(function).parameters[parameter].default


def add_run_options(parser: argparse.ArgumentParser, *, edge_size: int, photograph: str = "CONTENT") -> None:
    """The options of every run, and what they call its photograph."""
    add = parser.add_argument_group("the picture").add_argument
    add_size_option(add, edge_size=edge_size, original=photograph)
    add_strength_option(add)
    add_steps_option(add, "draft (16), standard (40) or best (150), four times as many with adam")
    add_seed_option(add, of="noise to start from", default=default_of(stylize, "seed"))


def add_steps_option(add: AddArgument, names: str) -> None:
    """How many steps there are.

    Args:
        add: What adds an option.
        names: The names of numbers, with the numbers.
    """
    add(
        "--steps",
        dest="num_steps",
        metavar="N",
        type=name_or_integers("--steps", tuple(STEPS), least=1),
        default=default_of(stylize, "num_steps"),
        help=f"steps of all sizes together: a number, {names}; or those of each size, between commas: "
        "30,20,10 (default: %(default)s)",
    )


def add_seed_option(add: AddArgument, *, of: str, default: int | None) -> None:
    """What decides all that is drawn; another one each time if there is no default."""
    told = "another one each time" if default is None else "%(default)s"
    add(
        "--seed",
        metavar="N",
        type=integer("--seed", least=0, most=LARGEST_SEED),
        default=default,
        help=f"of {of} (default: {told})",
    )


def add_size_option(add: AddArgument, *, edge_size: int, original: str) -> None:
    """How large pictures are.

    Args:
        add: What adds an option.
        edge_size: The short edge if none is given.
        original: What has the original size.
    """
    add(
        "--size",
        dest="edge_size",
        metavar="PIXELS",
        type=size("--size"),
        default=edge_size,
        help=f"short edge of the result, or {ORIGINAL_SIZE}: that of {original} (default: %(default)s)",
    )


def add_style_size_option(add: AddArgument) -> None:
    """How large paintings are for a network; None if it is not given, so that it can be refused."""
    add(
        "--style-size",
        metavar="PIXELS",
        type=size("--style-size"),
        help=f"short edge at which a painting is looked at, or {ORIGINAL_SIZE}; larger strokes above "
        f"{STYLE_SIZE}, smaller ones below (default: {STYLE_SIZE})",
    )


def add_strength_option(add: AddArgument) -> None:
    """How much the style counts for the losses."""
    add(
        "--strength",
        metavar="FACTOR",
        type=name_or_positive_number("--strength", tuple(STRENGTHS)),
        default=default_of(stylize, "strength"),
        help="how much the style counts relative to the content: a number, subtle (0.5), balanced (1) or "
        "strong (2) (default: %(default)s)",
    )


def add_max_pixels_option(add: AddArgument) -> None:
    """What is too large to be read."""
    add(
        "--max-pixels",
        metavar="N",
        type=pixels,
        default=DEFAULT_MAX_PIXELS,
        help="the largest area of a picture that is read, such as 200MP; larger ones may be bombs (default: "
        "%(default)s)",
    )


def add_encoding_options(parser: argparse.ArgumentParser) -> None:
    """How the file of the result is encoded."""
    add = parser.add_argument_group("the file").add_argument
    add(
        "--quality",
        metavar="N",
        type=integer("--quality", least=1, most=100, unit="%"),
        default=default_of(write_image, "quality"),
        help="1 to 100, for JPEG, WebP and AVIF (default: %(default)s)",
    )
    add(
        "--bits",
        metavar="N",
        type=lambda text: int(one_of("--bits", ("8", "16"))(text)),
        default=default_of(write_image, "bits"),
        help="per channel, 8 or 16 (PNG only) (default: %(default)s)",
    )
    add(
        "--keep-metadata",
        action="store_true",
        help="give the picture the EXIF, the XMP and the resolution of CONTENT",
    )
    add(
        "--background",
        metavar="COLOUR",
        type=color("--background"),
        help="where CONTENT is transparent, such as white or #ff8000 (default: the picture is transparent "
        "there, too, and that part does not count)",
    )


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """What is said, and what may be replaced."""
    parser.add_argument("--quiet", action="store_true", help="no progress bar; stderr is for errors only")
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
