"""`pystyle stylize`."""

import argparse
import json
import os
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from pystyle import __version__
from pystyle.checkpoints import Checkpoints
from pystyle.cli._arguments import style_arguments
from pystyle.cli._batch import check_no_batch, run_batch
from pystyle.cli._config import config_text
from pystyle.cli._ending import finish
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import (
    STANDARD_STREAM,
    check_streams,
    files_of,
    pillow_limit,
    read_init,
    read_photograph,
    read_picture,
)
from pystyle.cli._masks import check_masks, with_masks
from pystyle.cli._outputs import (
    check_new_file,
    check_picture_file,
    check_picture_size,
    check_places,
    check_standard_output,
    preview_files,
    preview_pattern,
)
from pystyle.cli._painting import Painting, paint
from pystyle.cli._picture import Picture, Saved, can_be_transparent
from pystyle.cli._stylize_options import add_arguments
from pystyle.cli._values import ORIGINAL_SIZE
from pystyle.images import scaled_size
from pystyle.images._atomic import replace_file
from pystyle.images._destinations import Destination
from pystyle.runner import CSVLogger, JSONLogger, Preview

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
    if isinstance(options.edge_size, list):
        options.edge_size = _flat(options.edge_size)
    with pillow_limit(options.max_pixels):
        if options.batch is not None:
            return run_batch(options)
        check_no_batch(options)
        _check(options)
        return _run_one(options)


def _run_one(options: argparse.Namespace) -> int:
    if options.save_config is not None and options.seed is None:
        options.seed = secrets.randbelow(_LARGEST_DRAWN_SEED)
    content, alpha, metadata = read_photograph(
        options.content, options, alpha=can_be_transparent(options.output)
    )
    reading = {"max_pixels": options.max_pixels, "background": options.background}
    styles = [read_picture(style, **reading) for style in options.styles]
    picture = Picture(options.output, {**_encoding(options), "metadata": metadata}, alpha)
    if options.output != STANDARD_STREAM:
        check_picture_size(Path(options.output), *_size(options, content), metadata=metadata)
    callbacks = _callbacks(options)
    painting = paint(
        options,
        *with_masks(content, styles, options.mask, options.style_mask, max_pixels=options.max_pixels),
        progress=not (options.quiet or options.json),
        callbacks=callbacks,
        arguments={
            **style_arguments(options),
            **({} if alpha is None else {"alpha": alpha}),
            "init": read_init(options.init, content, max_pixels=options.max_pixels),
            "checkpoint": _checkpoint(options),
            "resume": options.resume,
        },
    )
    return finish(
        painting,
        partial(picture.save, painting.image),
        partial(_report, painting, options),
        problems=[str(callback.failure) for callback in callbacks if callback.failure is not None],
        announce=not (options.quiet or options.json),
    )


def _size(options: argparse.Namespace, content: Tensor) -> tuple[int, int]:
    """Height and width of the picture."""
    height, width = content.shape[-2:]
    if options.edge_size == ORIGINAL_SIZE:
        return height, width
    last = options.edge_size if isinstance(options.edge_size, int) else options.edge_size[-1]
    return scaled_size((height, width), last)


def _flat(values: Sequence[Any] | None) -> list[Any] | None:
    """One list of values and lists."""
    if values is None:
        return None
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _check(options: argparse.Namespace) -> None:
    """Everything that can be wrong is found before the computation."""
    if options.resume and options.checkpoint is None:
        raise UsageError("`--resume` needs the folder of the checkpoints. Name it with `--checkpoint`.")
    if options.checkpoint is not None and options.checkpoint.exists() and not options.checkpoint.is_dir():
        raise UsageError(f"`--checkpoint` must be a folder, got the file '{options.checkpoint}'.")
    for layer in options.style_layers or ():
        if os.path.isfile(layer):
            raise UsageError(
                f"`--layers` took the file '{layer}' for a layer, since it takes all that follows it. Name "
                "the pictures before it, or write `--layers=A,B`."
            )
    check_streams([options.content, *options.styles])
    check_masks(len(options.styles), options.mask, options.style_mask)
    if options.style_weights is not None and len(options.style_weights) != len(options.styles):
        raise UsageError(
            f"`--style-weights` must have one weight for each of the {len(options.styles)} styles, "
            f"got {len(options.style_weights)}."
        )
    if options.save_config is not None and STANDARD_STREAM in (options.content, *options.styles):
        raise UsageError("`--save-config` needs pictures in files, since '-' would read another one.")
    overwrite = options.overwrite or options.resume
    check_places([*_picture_files(options, overwrite), *_other_files(options, overwrite)], files_of(options))


def _picture_files(options: argparse.Namespace, overwrite: bool) -> list[Destination]:
    if options.output == STANDARD_STREAM:
        if options.json or options.save_every is not None:
            raise UsageError("`--output -` leaves no place for `--json` and `--save-every`. Name a file.")
        check_standard_output()
        return []
    path = Path(options.output)
    check_picture_file(path, overwrite=overwrite, encoding=_encoding(options))
    files = [Destination("`--output`", path)]
    if options.save_every is not None:
        num_steps = options.num_steps if isinstance(options.num_steps, int) else sum(options.num_steps)
        steps = range(options.save_every, num_steps + 1, options.save_every)
        files += preview_files(path, steps, overwrite=overwrite)
    return files


def _other_files(options: argparse.Namespace, overwrite: bool) -> list[Destination]:
    files = []
    if options.log is not None:
        if options.log.suffix.lower() not in _LOGGERS:
            raise UsageError(f"`--log` must end in {' or '.join(_LOGGERS)}, got '{options.log}'.")
        check_new_file("--log", options.log, overwrite=overwrite)
        files.append(Destination("`--log`", options.log, in_place=True))
    if options.save_config is not None:
        check_new_file("--save-config", options.save_config, overwrite=overwrite)
        # The names of all files are in it, some of which may have no letters.
        _config(options)
        files.append(Destination("`--save-config`", options.save_config))
    if options.checkpoint is not None:
        files.append(Destination("`--checkpoint`", options.checkpoint, is_folder=True))
    return files


def _checkpoint(options: argparse.Namespace) -> Checkpoints | None:
    return options.checkpoint and Checkpoints(options.checkpoint, options.checkpoint_every)


def _callbacks(options: argparse.Namespace) -> list[Any]:
    callbacks: list[Any] = []
    if options.log is not None:
        callbacks.append(_LOGGERS[options.log.suffix.lower()](options.log))
    if options.save_every is not None:
        callbacks.append(Preview(preview_pattern(Path(options.output)), every=options.save_every))
    return callbacks


def _encoding(options: argparse.Namespace) -> dict[str, Any]:
    return {"quality": options.quality, "bits": options.bits}


def _config(options: argparse.Namespace) -> bytes:
    try:
        return config_text(options, options.save_config.parent).encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            "`--save-config` needs files whose names are text, got one with bytes that are no letters: "
            f"{error.object[max(error.start - 20, 0) : error.end + 20]!r}. Rename it."
        ) from error


def _report(painting: Painting, options: argparse.Namespace, saved: Saved) -> None:
    """What belongs to the picture: the options, and the facts for programs."""
    if options.save_config is not None:
        replace_file(options.save_config, _config(options), kind="config")
    if options.json:
        print(json.dumps(_facts(painting, options, saved), allow_nan=False), flush=True)


def _facts(painting: Painting, options: argparse.Namespace, saved: Saved) -> dict[str, Any]:
    height, width = painting.image.shape[-2:]
    return {
        "output": str((saved.path or Path(options.output)).absolute()),
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
