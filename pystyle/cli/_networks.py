"""Networks and their styles by the names and files that the command line gives them."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from torch import Tensor

from pystyle.cli._announce import say
from pystyle.cli._encoders import chosen_device
from pystyle.cli._errors import UsageError, did_you_mean
from pystyle.cli._inputs import read_picture
from pystyle.cli._named_network import named_network
from pystyle.cli._train_inputs import at_style_size
from pystyle.images._formats import EXTENSIONS
from pystyle.networks import Painter, Stylizer


def is_style_name(text: str) -> bool:
    """Whether this is the name of a learned style, and not the path of a painting."""
    path = Path(text)
    return path.suffix.lower() not in EXTENSIONS and path.name == text and not path.is_file()


def chosen_network(options: argparse.Namespace) -> Stylizer:
    """The network of ``--network``, on its device."""
    return named_network(options.network, "--network", chosen_device(options))


def compiled_network(options: argparse.Namespace) -> Stylizer:
    """The same, to be compiled by torch at its first picture if ``--compile`` is given.

    Raises:
        UsageError: If there is nothing to compile with.
    """
    network = chosen_network(options)
    if options.compile:
        compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
        if chosen_device(options).type == "cpu" and shutil.which(compiler) is None:
            raise UsageError(
                f"`--compile` needs a compiler for C++, and there is no '{compiler}' here. Install it, or "
                "name another in the environment variable CXX."
            )
        if not options.quiet:
            say("The network is compiled for frames of this size, which takes up to a minute.")
        network.compile(dynamic=False)
    return network


def bound(network: Stylizer, options: argparse.Namespace) -> Painter:
    """The network with the styles of a command line, blended.

    Raises:
        UsageError: If it has no such style, or none is named where there is a choice.
    """
    styles = chosen_styles(network, options)
    weights = options.style_weights or [1.0] * len(styles)
    return network.bind(
        list(zip(styles, weights, strict=True)),
        precision=options.precision,
        wrap=getattr(options, "wrap", None),
    )


def bound_each(network: Stylizer, options: argparse.Namespace) -> list[Painter]:
    """The network with each style of a command line by itself.

    Raises:
        UsageError: If it has no such style.
    """
    styles = chosen_styles(network, options)
    return [network.bind(style, precision=options.precision, wrap=options.wrap) for style in styles]


def chosen_styles(network: Stylizer, options: argparse.Namespace) -> list[Tensor | str]:
    """The styles of a command line, or the only one of the network.

    Raises:
        UsageError: If it has no such style, or none is named where there is a choice, or no painting is
            looked at, and a size for it is given.
    """
    check_style_size(network, options)
    if options.styles:
        return [_style(network, style, options) for style in options.styles]
    if len(network.styles) != 1:
        known = f"one of {', '.join(network.styles)}" if network.styles else "a painting"
        raise UsageError(f"This network needs a STYLE, {known}, got none.")
    return list(network.styles)


def check_style_size(network: Stylizer, options: argparse.Namespace) -> None:
    """Refuse a size of paintings where none is looked at.

    Raises:
        UsageError: If it is given there.
    """
    if options.style_size is not None and (network.styles or not options.styles):
        raise UsageError(
            "`--style-size` is for paintings, and none is looked at here: "
            + ("the network has its styles in it." if network.styles else "there is no STYLE.")
        )


def check_edge(network: Stylizer, option: str, size: tuple[int, int]) -> None:
    """Refuse a picture that is too small for the network."""
    if min(size) < network.smallest:
        raise UsageError(
            f"`{option}` must be at least {network.smallest} pixels for a {type(network).__name__}, got "
            f"{min(size)}."
        )


def _style(network: Stylizer, style: str, options: argparse.Namespace) -> Tensor | str:
    if style in network.styles:
        return style
    if network.styles:
        hint = did_you_mean(Path(style).stem, network.styles)
        if Path(style).exists():
            hint = (
                " Paintings are for a network for any style, such as `--network any-style`; several "
                "photographs are named as a folder, in the place of one."
            )
        raise UsageError(
            f"STYLE must be one that the network has learned, {', '.join(network.styles)}, got "
            f"{style!r}.{hint}"
        )
    image = at_style_size(
        read_picture(style, max_pixels=options.max_pixels, background=options.background), options
    )
    check_edge(network, "--style-size", (image.shape[2], image.shape[3]))
    return image
