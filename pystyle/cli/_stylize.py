"""`pystyle stylize`."""

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch

from pystyle import __version__
from pystyle.checkpoints import Checkpoints
from pystyle.cli._ending import finish
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import INITS, STANDARD_STREAM, check_streams, read_init, read_picture
from pystyle.cli._options import (
    add_encoding_options,
    add_machine_options,
    add_report_options,
    add_run_options,
    default_of,
)
from pystyle.cli._outputs import (
    check_new_file,
    check_picture_file,
    check_previews,
    check_standard_output,
    preview_pattern,
    write_standard_output,
)
from pystyle.cli._painting import Painting, paint
from pystyle.cli._values import integer, name_or_path, one_of, positive_number, weights_list
from pystyle.images import write_image
from pystyle.runner import Callback, CSVLogger, JSONLogger, Preview
from pystyle.stylization import stylize
from pystyle.typing import Colors

COLORS: Sequence[str] = get_args(Colors)

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "lbfgs": {},
    "adam": {"optimizer": partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99)), "averaging": 0.97},
}
"""Arguments of `stylize` by the name of an optimizer; its default comes first."""

SUMMARY = "paint a photograph in the manner of one or several paintings"
DESCRIPTION = (
    "Paint a photograph in the manner of one or several paintings. "
    "Ctrl-C ends the run and saves the picture so far."
)

_LOGGERS = {".csv": CSVLogger, ".jsonl": JSONLogger}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The files and options of the command."""
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the photograph; - reads standard input")
    add(
        "styles",
        metavar="STYLE",
        nargs="+",
        help="a painting; several are blended; one of all files may be -",
    )
    add("-o", "--output", metavar="OUT", required=True, help="the result; - writes PNG to standard output")
    add_report_options(parser)
    add("--json", action="store_true", help="print one JSON object about the run; no progress bar")
    add_run_options(parser, edge_size=default_of(stylize, "edge_size"))
    _add_style_options(parser)
    _add_optimization_options(parser)
    add_machine_options(parser)
    add_encoding_options(parser)


def _add_style_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the style").add_argument
    add(
        "--style-weights",
        metavar="W,W",
        type=weights_list("--style-weights"),
        help="how much each style counts, between commas: 0.7,0.3 (default: all the same)",
    )
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


def _add_optimization_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the optimisation").add_argument
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


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    _check(options)
    content, *styles = map(read_picture, (options.content, *options.styles))
    painting = paint(
        options,
        content,
        styles,
        progress=not (options.quiet or options.json),
        callbacks=_callbacks(options),
        arguments={
            "style_weights": options.style_weights,
            "style_scale": options.style_scale,
            "colors": options.colors,
            "init": read_init(options.init, content),
            "checkpoint": _checkpoint(options),
            "resume": options.resume,
            **OPTIMIZERS[options.optimizer],
        },
    )
    place = "standard output" if options.output == STANDARD_STREAM else f"'{options.output}'"
    announce = not (options.quiet or options.json)
    return finish(painting, partial(_write, painting, options), place, announce=announce)


def _check(options: argparse.Namespace) -> None:
    """Everything that can be wrong is found before the computation."""
    overwrite = options.overwrite or options.resume
    if options.resume and options.checkpoint is None:
        raise UsageError("`--resume` needs the folder of the checkpoints. Name it with `--checkpoint`.")
    if options.checkpoint is not None and options.checkpoint.exists() and not options.checkpoint.is_dir():
        raise UsageError(f"`--checkpoint` must be a folder, got the file '{options.checkpoint}'.")
    check_streams([options.content, *options.styles])
    if options.style_weights is not None and len(options.style_weights) != len(options.styles):
        raise UsageError(
            f"`--style-weights` must have one weight for each of the {len(options.styles)} styles, "
            f"got {len(options.style_weights)}."
        )
    if options.log is not None:
        if options.log.suffix.lower() not in _LOGGERS:
            raise UsageError(f"`--log` must end in {' or '.join(_LOGGERS)}, got '{options.log}'.")
        check_new_file("--log", options.log, overwrite=overwrite)
    if options.output == STANDARD_STREAM:
        if options.json or options.save_every is not None:
            raise UsageError("`--output -` leaves no place for `--json` and `--save-every`. Name a file.")
        check_standard_output()
        return
    path = Path(options.output)
    check_picture_file(path, overwrite=overwrite, encoding=_encoding(options))
    if options.save_every is not None:
        steps = range(options.save_every, options.num_steps + 1, options.save_every)
        check_previews(path, steps, overwrite=overwrite)


def _checkpoint(options: argparse.Namespace) -> Checkpoints | None:
    return options.checkpoint and Checkpoints(options.checkpoint, options.checkpoint_every)


def _callbacks(options: argparse.Namespace) -> list[Callback]:
    callbacks: list[Callback] = []
    if options.log is not None:
        callbacks.append(_LOGGERS[options.log.suffix.lower()](options.log))
    if options.save_every is not None:
        callbacks.append(Preview(preview_pattern(Path(options.output)), every=options.save_every))
    return callbacks


def _encoding(options: argparse.Namespace) -> dict[str, Any]:
    return {"quality": options.quality, "bits": options.bits}


def _write(painting: Painting, options: argparse.Namespace) -> None:
    if options.output == STANDARD_STREAM:
        write_standard_output(painting.image, bits=options.bits)
    else:
        write_image(painting.image, options.output, **_encoding(options))
    if options.json:
        print(json.dumps(_facts(painting, options), allow_nan=False))


def _facts(painting: Painting, options: argparse.Namespace) -> dict[str, Any]:
    height, width = painting.image.shape[-2:]
    return {
        "output": str(Path(options.output).absolute()),
        "width": width,
        "height": height,
        "steps": painting.steps,
        "seconds": round(painting.seconds, 3),
        "stop_reason": painting.stop_reason,
        "loss": painting.loss,
        "terms": painting.terms,
        "seed": options.seed,
        "device": str(painting.image.device),
        "version": __version__,
    }
