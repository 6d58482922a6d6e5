"""The options of `pystyle stylize` about the style: how it is compared, where it goes, and its colours."""

import argparse
from collections.abc import Callable, Sequence
from typing import get_args

from pystyle.cli._options import default_of
from pystyle.cli._values import files, number, one_of, positive_number, weights_list
from pystyle.stylization import stylize
from pystyle.typing import Colors, StyleLossName

COLORS: Sequence[str] = get_args(Colors)
LOSSES: Sequence[str] = get_args(StyleLossName)

_AddArgument = Callable[..., argparse.Action]
"""`add_argument` of a group, which functions share because another group would have another heading."""


def add_style_options(parser: argparse.ArgumentParser) -> None:
    """What `stylize` makes of the paintings."""
    add = parser.add_argument_group("the style").add_argument
    add(
        "--loss",
        dest="style_loss",
        metavar="NAME",
        type=one_of("--loss", LOSSES),
        default=default_of(stylize, "style_loss"),
        help=f"how styles are compared: one of {', '.join(LOSSES)} (default: %(default)s)",
    )
    add(
        "--layers",
        dest="style_layers",
        metavar="LAYER",
        nargs="+",
        type=_names,
        help="the layers of the encoder that it looks at, or image (default: those that suit the loss)",
    )
    add(
        "--style-weights",
        metavar="W,W",
        type=weights_list("--style-weights"),
        help="how much each style counts, between commas: 0.7,0.3 (default: all the same)",
    )
    _add_content_options(add)
    _add_mask_options(add)
    add(
        "--style-scale",
        metavar="FACTOR",
        type=positive_number("--style-scale"),
        default=default_of(stylize, "style_scale"),
        help="larger strokes above 1, smaller ones below (default: %(default)s)",
    )
    add(
        "--colors",
        metavar="NAME",
        type=one_of("--colors", COLORS),
        default=default_of(stylize, "colors"),
        help="style: those of the painting; content: those of the photograph; luminance: those of the "
        "photograph pixel by pixel, only luminance is painted (default: %(default)s)",
    )


def _add_content_options(add: _AddArgument) -> None:
    add(
        "--content-layer",
        metavar="LAYER",
        help="the layer of the encoder at which the photograph is kept (default: relu4_2, or alike)",
    )
    add(
        "--content-weight",
        metavar="W",
        type=number("--content-weight"),
        default=default_of(stylize, "content_weight"),
        help="how much the photograph counts (default: %(default)s)",
    )
    add(
        "--smoothness-weight",
        metavar="W",
        type=number("--smoothness-weight"),
        default=default_of(stylize, "smoothness_weight"),
        help="how much smoothness counts, which removes noise (default: %(default)s)",
    )


def _add_mask_options(add: _AddArgument) -> None:
    add(
        "--mask",
        metavar="FILE",
        nargs="+",
        action="extend",
        type=files,
        help="where to paint: grey pictures of the size of CONTENT, white inside; one for each style, or "
        "several for one",
    )
    add(
        "--style-mask",
        metavar="FILE",
        nargs="+",
        action="extend",
        type=files,
        help="which part of a painting counts there: a grey picture of its size for each --mask",
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]
