"""`pystyle paint`."""

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pystyle import __version__
from pystyle.cli._config import Keys
from pystyle.cli._ending import finish
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import STANDARD_STREAM, check_streams, files_of, pillow_limit, read_photograph
from pystyle.cli._keeping import config_files, save_config
from pystyle.cli._masks import check_regions, masked_content
from pystyle.cli._named_network import is_network_name
from pystyle.cli._networks import bound, bound_each, check_edge, chosen_network, is_style_name
from pystyle.cli._outputs import (
    check_picture_file,
    check_picture_size,
    check_places,
    check_standard_output,
)
from pystyle.cli._paint_folder import paint_folder
from pystyle.cli._paint_options import add_arguments
from pystyle.cli._paint_regions import painted_within
from pystyle.cli._painter import painted
from pystyle.cli._picture import Picture, Saved, can_be_transparent, size_of
from pystyle.cli._style_options import check_style_weights
from pystyle.cli._tell import tell_facts
from pystyle.cli._values import flat
from pystyle.evaluation._precision import precision_on
from pystyle.images._destinations import Destination
from pystyle.networks import Stylizer

__all__ = ["CONFIG_KEYS", "DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "paint a photograph, or a folder of them, with a network that was trained"
DESCRIPTION = (
    "Paint a photograph in one pass of a network: in a style that it has learned, or in that of a painting. "
    "`pystyle train` trains one."
)
CONFIG_KEYS = Keys(
    ("content", "style"),
    ("content", "--output=output"),
    {"style": is_style_name, "network": is_network_name},
)

_ONLY_FOLDER = {
    "format": "--format",
    "workers": "--workers",
    "on": "--on",
    "retry_failed": "--retry-failed",
}


@dataclass(frozen=True)
class Painted:
    """A picture of a network.

    Attributes:
        image: The picture.
        seconds: How long it took, with the look at the style.
        stop_reason: Always ``"finished"``: nothing less is given back.
        error: Always None.
    """

    image: Tensor
    seconds: float
    stop_reason: str = "finished"
    error: Exception | None = None

    def __str__(self) -> str:
        """The facts for a sentence."""
        height, width = self.image.shape[-2:]
        return f"{width} x {height} pixels in {self.seconds:.2f} s"


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    options.mask = flat(options.mask)
    with pillow_limit(options.max_pixels):
        _check_styles(options)
        if Path(options.content).is_dir():
            return paint_folder(options)
        for name, option in _ONLY_FOLDER.items():
            if getattr(options, name):
                raise UsageError(f"`{option}` is for a folder of images. Name the folder as CONTENT.")
        _check(options)
        return _run_one(options)


def _run_one(options: argparse.Namespace) -> int:
    network = chosen_network(options)
    photograph = read_photograph(options.content, options, alpha=can_be_transparent(options.output))
    size = size_of(photograph.image, options.edge_size)
    check_edge(network, "--size", size)
    encoding = {**_encoding(options), "metadata": photograph.metadata}
    picture = Picture(options.output, encoding, photograph.alpha)
    if options.output != STANDARD_STREAM:
        check_picture_size(Path(options.output), *size, metadata=photograph.metadata)
    start = time.perf_counter()
    image = _painted(network, photograph.image, size, options)
    result = Painted(image, time.perf_counter() - start)
    device = next(network.parameters()).device
    return finish(
        result,
        partial(picture.save, image),
        partial(_report, result, options, str(device)),
        announce=not (options.quiet or options.json),
    )


def _painted(
    network: Stylizer, photograph: Tensor, size: tuple[int, int], options: argparse.Namespace
) -> Tensor:
    if not options.mask:
        paint = bound(network, options)
        return painted(paint, photograph, size, strength=options.strength, colors=options.colors)
    masked = masked_content(photograph, options.mask, max_pixels=options.max_pixels)
    painters = [bound(network, options)] if len(options.mask) == 1 else bound_each(network, options)
    return painted_within(painters, masked, size, strength=options.strength, colors=options.colors)


def _check_styles(options: argparse.Namespace) -> None:
    check_streams([options.content, *options.styles])
    check_style_weights(options.style_weights, len(options.styles))
    check_regions(len(options.styles), options.mask, options.style_weights)


def _check(options: argparse.Namespace) -> None:
    """Everything that can be wrong is found before the computation."""
    if options.save_config is not None and STANDARD_STREAM in (options.content, *options.styles):
        raise UsageError("`--save-config` needs pictures in files, since '-' would read another one.")
    read = [*files_of(options), *([] if is_network_name(options.network) else [options.network])]
    files = config_files(options, CONFIG_KEYS, overwrite=options.overwrite)
    if options.output == STANDARD_STREAM:
        if options.json:
            raise UsageError("`--output -` leaves no place for `--json`. Name a file.")
        check_standard_output()
    else:
        path = Path(options.output)
        check_picture_file(path, overwrite=options.overwrite, encoding=_encoding(options))
        files = [Destination("`--output`", path), *files]
    check_places(files, read)


def _encoding(options: argparse.Namespace) -> dict[str, Any]:
    return {"quality": options.quality, "bits": options.bits}


def _report(result: Painted, options: argparse.Namespace, device: str, saved: Saved) -> None:
    """What belongs to the picture: the options, and the facts for programs."""
    save_config(options, CONFIG_KEYS)
    if options.json:
        height, width = result.image.shape[-2:]
        facts = {
            "output": str((saved.path or Path(options.output)).absolute()),
            "width": width,
            "height": height,
            "seconds": round(result.seconds, 3),
            "network": options.network,
            "styles": options.styles,
            "device": device,
            "precision": precision_on(torch.device(device), options.precision),
            "version": __version__,
        }
        tell_facts(facts)
