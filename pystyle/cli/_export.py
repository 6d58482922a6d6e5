"""`pystyle export`."""

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pystyle.cli._announce import say
from pystyle.cli._errors import CommandError, UsageError
from pystyle.cli._export_options import EXTENSION, add_arguments
from pystyle.cli._inputs import STANDARD_STREAM, pillow_limit
from pystyle.cli._named_network import is_network_name, named_network
from pystyle.cli._networks import check_style_size, chosen_styles
from pystyle.cli._outputs import check_new_file, check_places
from pystyle.cli._style_options import check_style_weights
from pystyle.cli._tell import tell_facts
from pystyle.images._destinations import Destination
from pystyle.networks import Stylizer

__all__ = ["DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "write a network to a file of ONNX, for programs without torch"
DESCRIPTION = (
    "Write a network to a file of ONNX, which other programs paint with: in one style, or in any that the "
    "network takes. It is written when ONNX Runtime has painted the same with it."
)


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    with pillow_limit(options.max_pixels):
        _check(options)
        network = named_network(options.network, "--network", torch.device("cpu"))
        codes = not options.styles and not network.styles
        if options.style_output is not None and not codes:
            raise UsageError(
                "`--style-output` is for a network for any style, when no STYLE is named. Leave it out."
            )
        check_style_size(network, options)
        files = [options.output, *([_style_file(options)] if codes else [])]
        _check_files(options, files)
        style = _style(network, options) if options.styles else None
        try:
            written = network.export(options.output, style=style, style_path=files[1] if codes else None)
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        except ValueError as error:
            raise UsageError(str(error).replace("`style`", "STYLE")) from error
    _report(written, options)
    return 0


def _style(network: Stylizer, options: argparse.Namespace) -> list[tuple[Tensor | str, float]]:
    styles = chosen_styles(network, options)
    weights = options.style_weights or [1.0] * len(styles)
    return list(zip(styles, weights, strict=True))


def _check(options: argparse.Namespace) -> None:
    """What can be wrong is found before the network is loaded."""
    if STANDARD_STREAM in options.styles:
        raise UsageError("STYLE must be names or files for `pystyle export`, got '-'.")
    check_style_weights(options.style_weights, len(options.styles))


def _style_file(options: argparse.Namespace) -> Path:
    output: Path = options.output
    given: Path | None = options.style_output
    return given or output.with_stem(f"{output.stem}-style")


def _check_files(options: argparse.Namespace, files: list[Path]) -> None:
    names = ("--output", "--style-output")
    destinations = []
    for option, path in zip(names, files, strict=False):
        if path.suffix.lower() != EXTENSION:
            raise UsageError(f"The extension of `{option}` must be {EXTENSION}, got '{path}'.")
        check_new_file(option, path, overwrite=options.overwrite)
        destinations.append(Destination(f"`{option}`", path))
    read = [path for path in options.styles if Path(path).is_file()]
    if not is_network_name(options.network):
        read.append(options.network)
    check_places(destinations, read)


def _report(written: tuple[Path, ...], options: argparse.Namespace) -> None:
    facts: list[dict[str, Any]] = [
        {"file": str(path.absolute()), "bytes": path.stat().st_size} for path in written
    ]
    if options.json:
        tell_facts(facts)
    elif not options.quiet:
        for path, fact in zip(written, facts, strict=True):
            say(f"Wrote '{path}', {fact['bytes'] / 1e6:.1f} MB.")
