"""`pystyle compress`."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pystyle.cli._announce import say
from pystyle.cli._compress_options import INT8_EXTENSION, add_arguments
from pystyle.cli._compress_report import Case, Measured, Paint, facts, measured, text
from pystyle.cli._errors import CommandError, UsageError, did_you_mean
from pystyle.cli._inputs import STANDARD_STREAM, pillow_limit, read_picture
from pystyle.cli._named_network import is_network_name, named_network
from pystyle.cli._needed import check_needed
from pystyle.cli._network_file import EXTENSION
from pystyle.cli._networks import check_edge
from pystyle.cli._outputs import check_new_file, check_places
from pystyle.cli._picture import size_of
from pystyle.cli._tell import tell, tell_facts
from pystyle.images import resize
from pystyle.images._destinations import Destination
from pystyle.metrics import Judge
from pystyle.networks import Stylizer, TransformNetwork, pruned
from pystyle.onnx import OnnxPainter

__all__ = ["DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "make a network smaller, and measure what that costs"
DESCRIPTION = (
    "Write a network with fewer channels, with few bits for each weight, or in whole numbers of 8 bits, and "
    "print a table: the bytes of both files, and the seconds and the figures of what both paint. Give "
    "photographs and paintings that the network has not learned from."
)
_BITS = 6
_LEAST = 32
"""Pixels; with fewer, the judge has nothing left to look at."""


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    _check(options)
    with pillow_limit(options.max_pixels):
        network = named_network(options.network, "NETWORK", torch.device("cpu"))
        cases = _cases(network, options)
        calibration = [_image(path, options) for path in options.calibration or options.content]
        if options.prune and not isinstance(network, TransformNetwork):
            raise UsageError(
                f"`--prune` is for a TransformNetwork, got a {type(network).__name__}, whose layers have no "
                "norms that tell which channels matter. Leave it out."
            )
    judge = _judge(options)
    small = pruned(network, options.prune) if isinstance(network, TransformNetwork) else network
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        if options.int8:
            both = _onnx_files(network, small, cases[0].style, calibration, Path(folder), options)
        else:
            both = _network_files(network, small, cases, Path(folder), options)
        if not options.quiet:
            say(f"Wrote '{options.output}', {both[1][0] / 1e6:.2f} MB.")
        sizes, paints = [size for size, _ in both], list(zip(*(own for _, own in both), strict=True))
        before, after = measured(cases, paints, sizes, judge)
    _report(before, after, options)
    return 0


def _check(options: argparse.Namespace) -> None:
    """What can be wrong is found before anything is loaded."""
    wanted = INT8_EXTENSION if options.int8 else EXTENSION
    if options.output.suffix.lower() != wanted:
        how = "with" if options.int8 else "without"
        raise UsageError(
            f"The extension of `--output` must be {wanted} {how} `--int8`, got '{options.output}'."
        )
    if options.int8 and options.bits is not None:
        raise UsageError("`--bits` is for files of weights. Leave it out, or `--int8`.")
    check_needed(options)
    if options.int8 and len(options.style) > 1:
        raise UsageError("`--style` must be one painting with `--int8`, whose file has one style in it.")
    read = [*options.content, *options.style, *(options.calibration or [])]
    if STANDARD_STREAM in read:
        raise UsageError("Photographs and paintings must be files for `pystyle compress`, got '-'.")
    check_new_file("--output", options.output, overwrite=options.overwrite)
    named = [] if is_network_name(options.network) else [options.network]
    check_places([Destination("`--output`", options.output)], [*read, *named])


def _cases(network: Stylizer, options: argparse.Namespace) -> list[Case]:
    """Each photograph with a painting, by turns, and the style as the network takes it."""
    if options.style_name is not None and options.style_name not in network.styles:
        known = ", ".join(network.styles) or "none"
        hint = did_you_mean(options.style_name, network.styles)
        raise UsageError(
            f"`--style-name` must be a learned style, {known}, got {options.style_name!r}.{hint}"
        )
    paintings = [_image(path, options) for path in options.style]
    styles = [
        _learned(network, path, options) if network.styles else painting
        for path, painting in zip(options.style, paintings, strict=True)
    ]
    cases = []
    for index, path in enumerate(options.content):
        turn = index % len(paintings)
        cases.append(Case(_image(path, options), paintings[turn], styles[turn]))
    for case in cases:
        for image in case[:2]:
            check_edge(network, "--size", (image.shape[2], image.shape[3]))
    return cases


def _learned(network: Stylizer, path: str, options: argparse.Namespace) -> str:
    name = options.style_name or (network.styles[0] if len(network.styles) == 1 else Path(path).stem)
    if name not in network.styles:
        raise UsageError(
            f"`--style-name` must say which learned style '{path}' is beside, {', '.join(network.styles)}, "
            "got none."
        )
    return str(name)


def _image(path: str, options: argparse.Namespace) -> Tensor:
    image = read_picture(path, max_pixels=options.max_pixels, background=options.background)
    size = size_of(image, options.edge_size)
    if min(size) < _LEAST:
        raise UsageError(
            f"`--size` must be at least {_LEAST} pixels, so that pictures can be judged, got {min(size)}."
        )
    return resize(image, size).clamp(0, 1)


def _judge(options: argparse.Namespace) -> Judge:
    try:
        return Judge.published()
    except (ImportError, RuntimeError) as error:
        if not options.quiet:
            say(f"Without lpips and style: {error}")
        return Judge()


def _network_files(
    network: Stylizer, small: Stylizer, cases: Sequence[Case], folder: Path, options: argparse.Namespace
) -> list[tuple[int, list[Paint]]]:
    """Both as they come back from their files: the bytes, and what paints each case."""
    network.save(folder / f"before{EXTENSION}")
    small.save(options.output, bits=options.bits or _BITS)
    found: list[tuple[int, list[Paint]]] = []
    for path in (folder / f"before{EXTENSION}", options.output):
        # The one that was given may be of a class that is not the library's.
        loaded = type(network).load(path)
        found.append((path.stat().st_size, [loaded.bind(case.style) for case in cases]))
    return found


def _onnx_files(
    network: Stylizer,
    small: Stylizer,
    style: Tensor | str,
    calibration: Sequence[Tensor],
    folder: Path,
    options: argparse.Namespace,
) -> list[tuple[int, list[Paint]]]:
    """Both in files of ONNX, in float and in whole numbers."""
    before = folder / f"before{INT8_EXTENSION}"
    try:
        network.export(before, style=style)
        small.export(options.output, style=style, int8=calibration)
    except RuntimeError as error:
        raise CommandError(str(error)) from error
    count = len(options.content)
    return [(path.stat().st_size, [_paint(OnnxPainter(path))] * count) for path in (before, options.output)]


def _paint(painter: OnnxPainter) -> Paint:
    return lambda content: torch.from_numpy(painter(content.numpy()))


def _report(before: Measured, after: Measured, options: argparse.Namespace) -> None:
    if options.json:
        tell_facts({"file": str(options.output.absolute()), **facts(before, after)})
    else:
        tell(text(before, after))
