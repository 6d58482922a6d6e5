"""`pystyle stylize`."""

import argparse
import os
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from pystyle import __version__
from pystyle.cli._arguments import style_arguments
from pystyle.cli._batch import check_no_batch, run_batch
from pystyle.cli._config import Keys
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
from pystyle.cli._keeping import check_checkpoint, checkpoints_of, kept_files, loggers_of, save_config
from pystyle.cli._masks import check_masks, with_masks
from pystyle.cli._needed import check_needed
from pystyle.cli._optimization_options import OPTIMIZERS
from pystyle.cli._outputs import (
    check_picture_file,
    check_picture_size,
    check_places,
    check_standard_output,
    preview_files,
    preview_pattern,
)
from pystyle.cli._painting import Painting, paint
from pystyle.cli._picture import Picture, Saved, can_be_transparent, size_of
from pystyle.cli._style_options import check_style_weights
from pystyle.cli._stylize_options import add_arguments
from pystyle.cli._tell import tell_facts
from pystyle.cli._values import flat
from pystyle.cli._words_options import check_words, is_model_name, steps_of_words
from pystyle.images._destinations import Destination
from pystyle.optim import LBFGS
from pystyle.runner import Preview
from pystyle.stylization._recipe import steps_with

__all__ = ["CONFIG_KEYS", "DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "paint a photograph in the manner of one or several paintings"
DESCRIPTION = (
    "Paint a photograph in the manner of one or several paintings. "
    "Ctrl-C ends the run and saves the picture so far. With --batch: all photographs in a folder. "
    "With --text: as words say."
)
CONFIG_KEYS = Keys(
    ("content", "style"), ("content", "style", "--output=output"), {"text-model": is_model_name}
)

_LARGEST_DRAWN_SEED = 2**32 - 1


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    for name in ("style_layers", "mask", "style_mask"):
        setattr(options, name, flat(getattr(options, name)))
    if isinstance(options.edge_size, list):
        options.edge_size = flat(options.edge_size)
    check_words(options)
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
        check_picture_size(Path(options.output), *size_of(content, options.edge_size), metadata=metadata)
    callbacks, progress = _callbacks(options), not (options.quiet or options.json)
    if options.text is not None:
        # It needs all papers, whose import takes its time.
        from pystyle.cli._words import paint_words

        painting = paint_words(options, content, alpha, callbacks=callbacks, progress=progress)
    else:
        painting = paint(
            options,
            *with_masks(content, styles, options.mask, options.style_mask, max_pixels=options.max_pixels),
            progress=progress,
            callbacks=callbacks,
            arguments={
                **style_arguments(options),
                **({} if alpha is None else {"alpha": alpha}),
                "init": read_init(options.init, content, max_pixels=options.max_pixels),
                "checkpoint": checkpoints_of(options),
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


def _check(options: argparse.Namespace) -> None:
    """Everything that can be wrong is found before the computation."""
    check_needed(options)
    check_checkpoint(options)
    for layer in options.style_layers or ():
        if os.path.isfile(layer):
            raise UsageError(
                f"`--layers` took the file '{layer}' for a layer, since it takes all that follows it. Name "
                "the pictures before it, or write `--layers=A,B`."
            )
    check_streams([options.content, *options.styles])
    check_masks(len(options.styles), options.mask, options.style_mask)
    check_style_weights(options.style_weights, len(options.styles))
    if options.save_config is not None and STANDARD_STREAM in (options.content, *options.styles):
        raise UsageError("`--save-config` needs pictures in files, since '-' would read another one.")
    overwrite = options.overwrite or options.resume
    files = [*_picture_files(options, overwrite), *kept_files(options, CONFIG_KEYS, overwrite=overwrite)]
    check_places(files, files_of(options))


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
        steps = range(options.save_every, _planned_steps(options) + 1, options.save_every)
        files += preview_files(path, steps, overwrite=overwrite)
    return files


def _planned_steps(options: argparse.Namespace) -> int:
    if options.text is not None:
        return steps_of_words(options.num_steps)
    steps = steps_with(options.num_steps, OPTIMIZERS[options.optimizer].get("optimizer", LBFGS))
    return steps if isinstance(steps, int) else sum(steps)


def _callbacks(options: argparse.Namespace) -> list[Any]:
    callbacks: list[Any] = [*loggers_of(options)]
    if options.save_every is not None:
        callbacks.append(Preview(preview_pattern(Path(options.output)), every=options.save_every))
    return callbacks


def _encoding(options: argparse.Namespace) -> dict[str, Any]:
    return {"quality": options.quality, "bits": options.bits}


def _report(painting: Painting, options: argparse.Namespace, saved: Saved) -> None:
    """What belongs to the picture: the options, and the facts for programs."""
    save_config(options, CONFIG_KEYS)
    if options.json:
        tell_facts(_facts(painting, options, saved))


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
        "precision": painting.precision,
        "version": __version__,
    }
