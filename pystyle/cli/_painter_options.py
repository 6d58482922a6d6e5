"""What the commands that paint with a network have in common: its styles, and what it does with them."""

import argparse
from collections.abc import Sequence

from pystyle.cli._options import AddArgument, add_size_option, add_style_size_option
from pystyle.cli._paths import user_path
from pystyle.cli._style_options import add_style_weights_option
from pystyle.cli._values import number


def add_styles_argument(add: AddArgument, styles: Sequence[str] = ()) -> None:
    """The styles, as arguments of the command; those that a config names are there if none is given."""
    add(
        "styles",
        metavar="STYLE",
        type=user_path,
        nargs="*",
        default=list(styles),
        help="the name of a style that the network has learned, or a painting for a network for any style; "
        "several are blended (default: the style of a network that has one)",
    )


def add_network_option(add: AddArgument, *, default: str) -> None:
    """The network: a file or a name."""
    add(
        "--network",
        metavar="NAME",
        type=user_path,
        default=default,
        help="the network: a file of `pystyle train`, or the name of one that comes with pystyle (default: "
        "%(default)s)",
    )


def add_picture_group(
    parser: argparse.ArgumentParser, *, edge_size: int, original: str, strength: str = ""
) -> AddArgument:
    """The group of what the picture is like; what else belongs to it is added by what is given back.

    Args:
        parser: The parser of the command.
        edge_size: The short edge of pictures if none is given.
        original: What has the original size.
        strength: What is to be said of the strength besides.
    """
    add = parser.add_argument_group("the picture").add_argument
    add_size_option(add, edge_size=edge_size, original=original)
    add(
        "--strength",
        metavar="SHARE",
        type=number("--strength", most=1),
        default=1.0,
        help=f"how much of the style, from 0 to 1{strength} (default: %(default)s)",
    )
    add_style_weights_option(add)
    add_style_size_option(add)
    return add
