"""Options about where a run is computed, and which network looks at the pictures."""

import argparse
from typing import get_args

from pystyle.cli._encoders import DEFAULT_ENCODER, POOLINGS, WEIGHTS, device, weights
from pystyle.cli._options import AddArgument, default_of
from pystyle.cli._values import GIBIBYTES, integer, one_of, positive_number
from pystyle.encoders._named import CONSTRUCTORS
from pystyle.stylization import stylize
from pystyle.typing import PrecisionChoice

_DEFAULT_WEIGHTS = default_of(CONSTRUCTORS[DEFAULT_ENCODER], "weights")
_DEFAULT_POOLING = default_of(CONSTRUCTORS[DEFAULT_ENCODER], "pooling")


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Where it is computed, which network looks at the pictures, and what that may take."""
    add = parser.add_argument_group("the machine").add_argument
    add_device_option(add)
    add_encoder_options(add)
    _add_strip_options(add)


def add_device_option(add: AddArgument) -> None:
    """Where it is computed, in the group of this `add_argument`."""
    add(
        "--device",
        metavar="DEVICE",
        type=device,
        default=default_of(stylize, "device"),
        help="where to compute, such as cpu or cuda:0 (default: the accelerator if there is one)",
    )


def add_encoder_options(add: AddArgument) -> None:
    """Which network looks at the pictures, and how precisely."""
    add(
        "--encoder",
        metavar="NAME",
        help=f"the network that looks at the pictures: one of {', '.join(CONSTRUCTORS)}, or one of "
        f"torchvision or timm (default: {DEFAULT_ENCODER})",
    )
    add(
        "--weights",
        metavar="NAME",
        type=weights,
        help=f"one of {', '.join(WEIGHTS)}, those of another network, or the path of a .pth or .safetensors "
        f"file; torchvision is "
        f"downloaded once (default: {_DEFAULT_WEIGHTS} for {DEFAULT_ENCODER}, else torchvision)",
    )
    add(
        "--pooling",
        metavar="NAME",
        type=one_of("--pooling", POOLINGS),
        help=f"one of {', '.join(POOLINGS)} (default: {_DEFAULT_POOLING})",
    )
    add_precision_option(add)


def add_precision_option(add: AddArgument) -> None:
    """How precisely a network computes."""
    add(
        "--precision",
        metavar="NAME",
        type=one_of("--precision", get_args(PrecisionChoice)),
        default=default_of(stylize, "precision"),
        help=f"of the network: one of {', '.join(get_args(PrecisionChoice))}; auto is half precision where "
        "the device multiplies in it (default: %(default)s)",
    )


def add_compile_option(add: AddArgument) -> None:
    """Whether a network is compiled before it paints the frames of a clip."""
    add(
        "--compile",
        action="store_true",
        help="have torch compile the network for frames of this size: up to a minute before the first one, "
        "and faster then; it needs a compiler for C++",
    )


def _add_strip_options(add: AddArgument) -> None:
    add(
        "--tile",
        metavar="ROWS",
        type=lambda text: text if text == "auto" else integer("--tile", least=1, unit="rows")(text),
        default=default_of(stylize, "tile"),
        help="evaluate the image in strips of so many rows, which needs less memory and gives the same "
        "picture; auto does so where it is needed (default: %(default)s)",
    )
    add(
        "--memory",
        metavar="GIB",
        type=positive_number("--memory", GIBIBYTES),
        help="what the run may take with --tile auto, or with a unit: 4GB (default: most of what is free)",
    )
