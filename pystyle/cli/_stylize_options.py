"""The options of `pystyle stylize`."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch

from pystyle.checkpoints import Checkpoints
from pystyle.cli._config import CONFIG_OPTION, Config
from pystyle.cli._inputs import INITS
from pystyle.cli._options import (
    add_encoding_options,
    add_machine_options,
    add_report_options,
    add_run_options,
    default_of,
)
from pystyle.cli._values import integer, integers, name_or_path, one_of, positive_number, weights_list
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Pixels
from pystyle.stylization import stylize
from pystyle.typing import Colors, StyleLossName

COLORS: Sequence[str] = get_args(Colors)
LOSSES: Sequence[str] = get_args(StyleLossName)

FORMATS = ("png", "jpg", "webp", "avif", "tif", "bmp", "ppm", "jp2")

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

_AddArgument = Callable[..., argparse.Action]
"""`add_argument` of a group, which functions share because another group would have another heading."""


def add_arguments(
    parser: argparse.ArgumentParser, config: Config | None = None, *, batch: bool = False
) -> None:
    """The files and options of the command; files that a config names, or a folder has, need not be given."""
    add = parser.add_argument
    content, styles = (None, ()) if config is None else (config.content, config.styles)
    content = None if batch else content
    add(
        "content",
        metavar="CONTENT",
        nargs="?" if content or batch else None,
        default=content,
        help="the photograph; - reads standard input",
    )
    add(
        "styles",
        metavar="STYLE",
        nargs="*" if styles or batch else "+",
        default=list(styles),
        help="a painting; several are blended; one of all files may be -",
    )
    add(
        "-o",
        "--output",
        metavar="OUT",
        required=not batch,
        help="the result; - writes PNG to standard output",
    )
    add_report_options(parser)
    add("--json", action="store_true", help="print one JSON object about the run; no progress bar")
    add_run_options(parser, edge_size=default_of(stylize, "edge_size"))
    _add_style_options(parser)
    _add_optimization_options(parser)
    add_machine_options(parser)
    add_encoding_options(parser)
    _add_batch_options(parser)
    _add_config_options(parser)


def _add_style_options(parser: argparse.ArgumentParser) -> None:
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


def _add_mask_options(add: _AddArgument) -> None:
    add(
        "--mask",
        metavar="FILE",
        nargs="+",
        type=_names,
        help="where to paint: grey pictures of the size of CONTENT, white inside; one for each style, or "
        "several for one",
    )
    add(
        "--style-mask",
        metavar="FILE",
        nargs="+",
        type=_names,
        help="which part of a painting counts there: a grey picture of its size for each --mask",
    )


def _add_optimization_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the optimisation").add_argument
    add(
        "--pyramid",
        dest="edge_size",
        metavar="PIXELS",
        nargs="+",
        type=integers("--pyramid", least=1),
        default=argparse.SUPPRESS,
        help="short edges of all sizes, growing, instead of --size, which is approached in steps of the root "
        "of 2 from 128 on",
    )
    add(
        "--parametrization",
        metavar="NAME",
        type=one_of("--parametrization", tuple(PARAMETRIZATIONS)),
        default=next(iter(PARAMETRIZATIONS)),
        help=f"what is optimised: one of {', '.join(PARAMETRIZATIONS)} (default: %(default)s)",
    )
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
    _add_keeping_options(add)


def _add_keeping_options(add: _AddArgument) -> None:
    add(
        "--save-every",
        metavar="N",
        type=integer("--save-every", least=1),
        help="write the picture so far every N steps, beside OUT, with the step in the name",
    )
    add("--checkpoint", metavar="FOLDER", type=Path, help="keep the state of the run in a folder of its own")
    add(
        "--checkpoint-every",
        metavar="SECONDS",
        type=positive_number("--checkpoint-every"),
        default=Checkpoints.seconds,
        help="what a kill may cost (default: %(default)s); any other end keeps all steps",
    )
    add(
        "--resume",
        action="store_true",
        help="go on from the last checkpoint, if there is one; files of the interrupted run are replaced",
    )
    add("--log", metavar="FILE", type=Path, help="write the losses of each step to FILE.csv or FILE.jsonl")


def _add_batch_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("many photographs, instead of CONTENT, STYLE and OUT").add_argument
    add(
        "--batch",
        metavar="FOLDER",
        type=Path,
        help="paint all images in a folder and below it; the same command again does what is missing",
    )
    add(
        "--style",
        dest="batch_styles",
        metavar="FILE",
        nargs="+",
        help="a painting; several are blended",
    )
    add("--output-dir", metavar="FOLDER", type=Path, help="where the pictures go, and the record of the job")
    add(
        "--format",
        metavar="NAME",
        type=one_of("--format", FORMATS),
        help=f"of the pictures: one of {', '.join(FORMATS)} (default: png)",
    )
    add(
        "--workers",
        metavar="N",
        type=integer("--workers", least=1),
        help="processes that share the work and the cores (default: 1)",
    )
    add("--retry-failed", action="store_true", help="try images again that failed before")


def _add_config_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("runs in files").add_argument
    add(
        CONFIG_OPTION,
        metavar="FILE",
        type=Path,
        help="read files and options from a TOML file, by their long names; options given here win",
    )
    add(
        "--save-config",
        metavar="FILE",
        type=Path,
        help="write such a file with all options and the seed, for the same picture again",
    )


def _names(text: str) -> list[str]:
    return text.split(",")
