"""The options of `pystyle stylize` about the style: how it is compared, where it goes, and its colours."""

import argparse
from collections.abc import Sequence
from typing import get_args

from pystyle.cli._errors import UsageError
from pystyle.cli._options import AddArgument, default_of
from pystyle.cli._paths import files
from pystyle.cli._values import names, number, one_of, positive_number, weights_list
from pystyle.stylization import stylize
from pystyle.typing import Colors, StyleLossName

COLORS: Sequence[str] = get_args(Colors)
LOSSES: Sequence[str] = get_args(StyleLossName)


def add_style_options(parser: argparse.ArgumentParser) -> None:
    """What `stylize` makes of the paintings."""
    add = parser.add_argument_group("the style").add_argument
    add_loss_options(add)
    add_style_weights_option(add)
    _add_content_options(add)
    _add_mask_options(add)
    add_style_scale_option(add)
    add_colors_option(add)


def add_style_scale_option(add: AddArgument) -> None:
    """How large the strokes are."""
    add(
        "--style-scale",
        metavar="FACTOR",
        type=positive_number("--style-scale"),
        default=default_of(stylize, "style_scale"),
        help="larger strokes above 1, smaller ones below (default: %(default)s)",
    )


def add_colors_option(add: AddArgument) -> None:
    """Whose colours pictures have."""
    add(
        "--colors",
        metavar="NAME",
        type=one_of("--colors", COLORS),
        default=default_of(stylize, "colors"),
        help="style: those of the painting; content: those of the photograph; luminance: those of the "
        "photograph pixel by pixel, only luminance is painted (default: %(default)s)",
    )


def add_loss_option(add: AddArgument) -> None:
    """How styles are compared."""
    add(
        "--loss",
        dest="style_loss",
        metavar="NAME",
        type=one_of("--loss", LOSSES),
        default=default_of(stylize, "style_loss"),
        help=f"how styles are compared: one of {', '.join(LOSSES)} (default: %(default)s)",
    )


def add_loss_options(add: AddArgument) -> None:
    """How styles are compared, and where."""
    add_loss_option(add)
    add(
        "--layers",
        dest="style_layers",
        metavar="LAYER",
        nargs="+",
        type=names,
        help="the layers of the encoder that it looks at, or image (default: those that suit the loss)",
    )


def add_style_weights_option(add: AddArgument) -> None:
    """How styles are blended."""
    add(
        "--style-weights",
        metavar="W,W",
        type=weights_list("--style-weights"),
        help="how much each style counts, between commas: 0.7,0.3 (default: all the same)",
    )


def check_style_weights(weights: Sequence[float] | None, count: int) -> None:
    """Refuse weights that are not as many as the styles.

    Raises:
        UsageError: If they are not.
    """
    if weights is not None and len(weights) != count:
        raise UsageError(
            f"`--style-weights` must have one weight for each of the {count} styles, got {len(weights)}."
        )


def _add_content_options(add: AddArgument) -> None:
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
    add_smoothness_option(add)


def add_smoothness_option(add: AddArgument) -> None:
    """How smooth pictures are to be."""
    add(
        "--smoothness-weight",
        metavar="W",
        type=number("--smoothness-weight"),
        default=default_of(stylize, "smoothness_weight"),
        help="how much smoothness counts, which removes noise (default: %(default)s)",
    )


def add_mask_option(add: AddArgument, masks: str, count: str) -> None:
    """Where to paint: what masks are, and how many there may be."""
    add(
        "--mask",
        metavar="FILE",
        nargs="+",
        action="extend",
        type=files,
        help=f"where to paint: {masks}; {count}",
    )


def _add_mask_options(add: AddArgument) -> None:
    masks = "grey pictures of the size of CONTENT, white inside"
    add_mask_option(add, masks, "one for each style, or several for one")
    add(
        "--style-mask",
        metavar="FILE",
        nargs="+",
        action="extend",
        type=files,
        help="which part of a painting counts there: a grey picture of its size for each --mask",
    )
