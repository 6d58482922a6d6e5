"""`pystyle stylize`."""

import argparse
import json
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pystyle import __version__
from pystyle.checkpoints import Checkpoints
from pystyle.cli._arguments import style_arguments
from pystyle.cli._batch import check_no_batch, run_batch
from pystyle.cli._config import config_text
from pystyle.cli._ending import finish
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import STANDARD_STREAM, check_streams, read_init, read_picture
from pystyle.cli._masks import check_masks, with_masks
from pystyle.cli._outputs import (
    check_new_file,
    check_picture_file,
    check_previews,
    check_standard_output,
    preview_pattern,
    write_standard_output,
)
from pystyle.cli._painting import Painting, paint
from pystyle.cli._stylize_options import add_arguments
from pystyle.images import write_image
from pystyle.images._atomic import replace_file
from pystyle.runner import Callback, CSVLogger, JSONLogger, Preview

__all__ = ["DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "paint a photograph in the manner of one or several paintings"
DESCRIPTION = (
    "Paint a photograph in the manner of one or several paintings. "
    "Ctrl-C ends the run and saves the picture so far. With --batch: all photographs in a folder."
)

_LARGEST_DRAWN_SEED = 2**32 - 1

_LOGGERS = {".csv": CSVLogger, ".jsonl": JSONLogger}


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    for name in ("style_layers", "mask", "style_mask"):
        setattr(options, name, _flat(getattr(options, name)))
    if not isinstance(options.edge_size, int):
        options.edge_size = _flat(options.edge_size)
    if options.batch is not None:
        return run_batch(options)
    check_no_batch(options)
    _check(options)
    if options.save_config is not None and options.seed is None:
        options.seed = secrets.randbelow(_LARGEST_DRAWN_SEED)
    content, *styles = map(read_picture, (options.content, *options.styles))
    painting = paint(
        options,
        *with_masks(content, styles, options.mask, options.style_mask),
        progress=not (options.quiet or options.json),
        callbacks=_callbacks(options),
        arguments={
            **style_arguments(options),
            "init": read_init(options.init, content),
            "checkpoint": _checkpoint(options),
            "resume": options.resume,
        },
    )
    place = "standard output" if options.output == STANDARD_STREAM else f"'{options.output}'"
    announce = not (options.quiet or options.json)
    return finish(painting, partial(_write, painting, options), place, announce=announce)


def _flat(values: Sequence[Any] | None) -> list[Any] | None:
    """One list of values and lists."""
    if values is None:
        return None
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _check(options: argparse.Namespace) -> None:
    """Everything that can be wrong is found before the computation."""
    overwrite = options.overwrite or options.resume
    if options.resume and options.checkpoint is None:
        raise UsageError("`--resume` needs the folder of the checkpoints. Name it with `--checkpoint`.")
    if options.checkpoint is not None and options.checkpoint.exists() and not options.checkpoint.is_dir():
        raise UsageError(f"`--checkpoint` must be a folder, got the file '{options.checkpoint}'.")
    check_streams([options.content, *options.styles])
    check_masks(len(options.styles), options.mask, options.style_mask)
    if options.style_weights is not None and len(options.style_weights) != len(options.styles):
        raise UsageError(
            f"`--style-weights` must have one weight for each of the {len(options.styles)} styles, "
            f"got {len(options.style_weights)}."
        )
    if options.log is not None:
        if options.log.suffix.lower() not in _LOGGERS:
            raise UsageError(f"`--log` must end in {' or '.join(_LOGGERS)}, got '{options.log}'.")
        check_new_file("--log", options.log, overwrite=overwrite)
    if options.save_config is not None:
        if STANDARD_STREAM in (options.content, *options.styles):
            raise UsageError("`--save-config` needs pictures in files, since '-' would read another one.")
        check_new_file("--save-config", options.save_config, overwrite=overwrite)
    if options.output == STANDARD_STREAM:
        if options.json or options.save_every is not None:
            raise UsageError("`--output -` leaves no place for `--json` and `--save-every`. Name a file.")
        check_standard_output()
        return
    path = Path(options.output)
    check_picture_file(path, overwrite=overwrite, encoding=_encoding(options))
    if options.save_every is not None:
        num_steps = options.num_steps if isinstance(options.num_steps, int) else sum(options.num_steps)
        steps = range(options.save_every, num_steps + 1, options.save_every)
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
    if options.save_config is not None:
        text = config_text(options, options.save_config.parent)
        replace_file(options.save_config, text.encode())
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
