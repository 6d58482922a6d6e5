"""Options as arguments of `stylize`."""

import argparse
from typing import Any

from pystyle.cli._optimization_options import OPTIMIZERS, PARAMETRIZATIONS

_IN_OPTIONS = {
    '`references["content"]`': "The content at this `--size`",
    '`references["style"]`': "A style at this `--size` and `--style-scale`",
    "`checkpoint`": "`--checkpoint`",
    "`resume=True`": "`--resume`",
    "`overwrite=True`": "`--overwrite`",
    "`edge_sizes`": "`--pyramid`",
    "`layers`": "`--layers`",
    "`num_steps`": "`--steps`",
    "`bits=16`": "`--bits 16`",
}
"""What the arguments of an error are called on the command line."""


def run_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Those of every run."""
    shared = ("edge_size", "strength", "num_steps", "seed", "device", "precision", "tile")
    arguments = {name: getattr(options, name) for name in shared}
    if options.memory is not None:
        arguments["memory_budget"] = round(options.memory * 2**30)
    return arguments


def style_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Those of `pystyle stylize` about the style and the optimisation."""
    names = ("style_weights", "style_scale", "style_loss", "style_layers", "colors")
    return {
        **{name: getattr(options, name) for name in names},
        "parametrization": PARAMETRIZATIONS[options.parametrization],
        **OPTIMIZERS[options.optimizer],
    }


def in_options(message: str) -> str:
    """The message of an error in terms of the command line."""
    for argument, option in _IN_OPTIONS.items():
        message = message.replace(argument, option)
    return message
