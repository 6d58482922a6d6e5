"""The options of `pystyle stylize` about the optimisation."""

import argparse
from functools import partial
from typing import Any

import torch

from pystyle.cli._inputs import INITS
from pystyle.cli._options import AddArgument, default_of
from pystyle.cli._values import integers, name_or_path, one_of
from pystyle.cli._wrap_option import add_wrap_option
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Pixels
from pystyle.stylization import stylize

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "lbfgs": {},
    "adam": {"optimizer": partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99)), "averaging": 0.97},
}
"""Arguments of `stylize` by the name of an optimizer; its default comes first."""

PARAMETRIZATIONS = {
    "pixels": Pixels,
    "laplacian": LaplacianPyramid,
    "fourier": Fourier,
    "low-resolution": LowResolution,
}
"""What is optimised by its name; the default comes first."""


def add_optimization_options(parser: argparse.ArgumentParser) -> None:
    """What is optimised, from where, in which sizes and by what."""
    add = parser.add_argument_group("the optimisation").add_argument
    add(
        "--pyramid",
        dest="edge_size",
        metavar="PIXELS",
        nargs="+",
        type=integers("--pyramid", least=1, unit="px"),
        default=argparse.SUPPRESS,
        help="short edges of all sizes, growing, instead of --size, which is approached in octaves",
    )
    add_parametrization_option(add)
    add_wrap_option(add)
    add(
        "--init",
        metavar="NAME",
        type=name_or_path("--init", INITS),
        default=default_of(stylize, "init"),
        help=f"what to start from: one of {', '.join(INITS)}, or the path of a picture, which is stretched "
        "to the shape of the content (default: %(default)s)",
    )
    add(
        "--optimizer",
        metavar="NAME",
        type=one_of("--optimizer", tuple(OPTIMIZERS)),
        default=next(iter(OPTIMIZERS)),
        help=f"{' or '.join(OPTIMIZERS)} (default: %(default)s)",
    )


def add_parametrization_option(add: AddArgument) -> None:
    """What is optimised."""
    add(
        "--parametrization",
        metavar="NAME",
        type=one_of("--parametrization", tuple(PARAMETRIZATIONS)),
        default=next(iter(PARAMETRIZATIONS)),
        help=f"what is optimised: one of {', '.join(PARAMETRIZATIONS)} (default: %(default)s)",
    )
