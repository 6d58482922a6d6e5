"""The files and options of `pystyle train`."""

import argparse
from typing import get_args

from pystyle.cli._config import Config
from pystyle.cli._keeping_options import add_checkpoint_options, add_config_options
from pystyle.cli._late_defaults import LateDefaults
from pystyle.cli._machine_options import add_device_option, add_encoder_options
from pystyle.cli._options import (
    add_max_pixels_option,
    add_report_options,
    add_seed_option,
    add_strength_option,
    add_style_size_option,
)
from pystyle.cli._paths import user_file, user_path
from pystyle.cli._recipe_options import DEFAULTS, add_recipe_options
from pystyle.cli._style_options import add_loss_options, add_smoothness_option
from pystyle.cli._values import integer, names, number, positive_number
from pystyle.typing import FeaturesName

WIDTHS = {False: 16, True: 32}
"""Channels of a network at the full size by whether it is for any style."""
PREVIEW_EVERY = 100
"""Steps between two previews if none are given."""

_STEPS = 2_000
_CROP_SIZE = 128
_OUTPUT = "network.safetensors"


def add_arguments(
    parser: argparse.ArgumentParser, config: Config | None = None, *, recipe: bool = False
) -> None:
    """The files and options of the command.

    Args:
        parser: Its parser.
        config: A file of options; paintings that it names need not be given.
        recipe: Whether there is a recipe, whose paintings may be named by an option.
    """
    add, late = parser.add_argument, LateDefaults()
    styles = () if config is None else config.styles
    add(
        "styles",
        metavar="STYLE",
        type=user_path,
        nargs="*" if styles or recipe else "+",
        default=list(styles),
        help="a painting; the network learns the style of each under the name of its file; one may be -; "
        "with --recipe one folder of paintings",
    )
    add(
        "--contents",
        metavar="FOLDER",
        type=user_file,
        required=True,
        help="photographs, also in folders below it",
    )
    add(
        "-o",
        "--output",
        metavar="NETWORK",
        type=user_path,
        default=_OUTPUT,
        help="the file of the network, in .safetensors (default: %(default)s)",
    )
    add_max_pixels_option(add)
    add_report_options(parser)
    add("--json", action="store_true", help="print one JSON object about the training; no progress bar")
    _add_network_options(parser)
    _add_loss_options(parser, late)
    _add_training_options(parser, late)
    _add_keeping_options(parser)
    machine = parser.add_argument_group("the machine").add_argument
    add_device_option(machine)
    add_encoder_options(machine)
    parser.set_defaults(late_defaults=late.values)
    add_config_options(parser, kind="network")


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the network").add_argument
    add_recipe_options(add)
    add(
        "--any-style",
        action="store_true",
        help="train a network that paints in the style of any image; STYLE is a folder of paintings",
    )
    add(
        "--width",
        metavar="N",
        type=integer("--width", least=1),
        help="channels at the full size: 8 is small and fast, 32 that of the literature (default: "
        f"{WIDTHS[False]}, or {WIDTHS[True]} with --any-style and the features of VGG-19, or with --recipe)",
    )
    add(
        "--features",
        choices=get_args(FeaturesName),
        help="with --any-style: what the network sees images through, those of VGG-19, or a few convolutions "
        "that it learns, which are faster (default: vgg19)",
    )
    add(
        "--start",
        metavar="NETWORK",
        type=user_path,
        help="go on from this network, a file or the name of one that comes with pystyle: one for any style "
        "with --any-style, else one that has learned the styles of these names (default: random numbers)",
    )
    add(
        "--names",
        metavar="NAME,NAME",
        type=names,
        help="names of the styles, between commas (default: those of the files without their extensions, or "
        "of the folder with --recipe)",
    )


def _add_loss_options(parser: argparse.ArgumentParser, late: LateDefaults) -> None:
    add = late.of(parser.add_argument_group("the style").add_argument)
    add_strength_option(add)
    add_style_size_option(add)
    add_loss_options(add)
    add(
        "--content-layer",
        metavar="LAYER",
        help="the layer of the encoder at which photographs are kept (default: relu3_1, or alike)",
    )
    add_smoothness_option(add)


def _add_training_options(parser: argparse.ArgumentParser, late: LateDefaults) -> None:
    add = parser.add_argument_group("the training").add_argument
    numbers = {
        "--steps": (_STEPS, "how many steps"),
        "--batch-size": (4, "photographs in a step"),
        "--crop-size": (_CROP_SIZE, "edge of their random crops in pixels; 256 is better and slower"),
        "--workers": (0, "processes that read photographs ahead"),
    }
    for option, (default, text) in numbers.items():
        name = "num_steps" if option == "--steps" else option.removeprefix("--").replace("-", "_")
        other = f", or {DEFAULTS[name]} with --recipe" if DEFAULTS.get(name, default) != default else ""
        late.of(add)(
            option,
            dest=name,
            metavar="N",
            type=integer(option, least=min(default, 1)),
            default=default,
            help=f"{text} (default: %(default)s{other})",
        )
    late.of(add)(
        "--learning-rate",
        metavar="RATE",
        type=positive_number("--learning-rate"),
        default=1e-3,
        help="of Adam at first; it falls to a hundredth (default: %(default)s, or "
        f"{DEFAULTS['learning_rate']} with --recipe, which falls to 0 in the second part of the training)",
    )
    add(
        "--steady",
        metavar="WEIGHT",
        type=number("--steady"),
        default=0.0,
        help="for clips: how much it counts that a photograph which is moved gives the picture, moved; 30 is "
        "usual (default: %(default)s, not at all)",
    )
    add_seed_option(add, of="all that is drawn", default=0)


def _add_keeping_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what is kept of the training").add_argument
    add(
        "--preview",
        metavar="FILE",
        type=user_file,
        help="write what the network paints so far, with {step} in the name to a new file each time",
    )
    add(
        "--preview-every",
        metavar="N",
        type=integer("--preview-every", least=1),
        help=f"steps between two previews (default: {PREVIEW_EVERY})",
    )
    add_checkpoint_options(add)
