"""`pystyle stylize --batch`: all images in a folder."""

import argparse
from collections.abc import Sequence
from functools import partial

from pystyle.cli._arguments import run_arguments, style_arguments
from pystyle.cli._encoders import chosen_encoder
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import INITS, STANDARD_STREAM
from pystyle.cli._job import run_job
from pystyle.cli._needed import check_needed
from pystyle.cli._style_options import check_style_weights
from pystyle.stylization import stylize

_ONLY_BATCH = {
    "batch_styles": "--style",
    "output_dir": "--output-dir",
    "workers": "--workers",
    "on": "--on",
    "retry_failed": "--retry-failed",
    "format": "--format",
}
_NEVER_BATCH = {
    "output": "-o",
    "mask": "--mask",
    "style_mask": "--style-mask",
    "checkpoint": "--checkpoint",
    "checkpoint_every": "--checkpoint-every",
    "resume": "--resume",
    "log": "--log",
    "save_every": "--save-every",
    "save_config": "--save-config",
}


def is_batch(argv: Sequence[str]) -> bool:
    """Whether a command line asks for a whole folder."""
    return any(argument.partition("=")[0] == "--batch" for argument in argv)


def check_no_batch(options: argparse.Namespace) -> None:
    """Refuse the options of a folder in the run of one image.

    Raises:
        UsageError: If there is one.
    """
    for name, option in _ONLY_BATCH.items():
        if getattr(options, name):
            raise UsageError(f"`{option}` is for a folder of images. Name the folder with `--batch`.")


def run_batch(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    _check(options)
    recipe = partial(
        stylize,
        **run_arguments(options),
        **style_arguments(options),
        init=options.init,
        encoder=chosen_encoder(options),
    )
    return run_job(
        options,
        options.batch,
        options.batch_styles or options.styles,
        options.output_dir,
        recipe=recipe,
    )


def _check(options: argparse.Namespace) -> None:
    for name, option in _NEVER_BATCH.items():
        if getattr(options, name):
            raise UsageError(f"`{option}` must be left out with `--batch`, which paints many images.")
    check_needed(options)
    if options.content is not None:
        raise UsageError(
            f"With `--batch` the images are those of its folder, got the file '{options.content}' as well. "
            "Name paintings with `--style`."
        )
    if options.output_dir is None:
        raise UsageError("`--batch` needs a folder for the pictures. Name it with `--output-dir`.")
    if not options.batch.is_dir():
        raise UsageError(f"`--batch` must be a folder of images, got '{options.batch}'.")
    if options.output_dir.exists() and not options.output_dir.is_dir():
        raise UsageError(f"`--output-dir` must be a folder, got the file '{options.output_dir}'.")
    styles = options.batch_styles or options.styles
    if not styles:
        raise UsageError("`--batch` needs at least one painting. Name it with `--style`.")
    if STANDARD_STREAM in styles:
        raise UsageError("`--batch` needs paintings in files, since '-' cannot be read again.")
    check_style_weights(options.style_weights, len(styles))
    if options.init not in INITS:
        raise UsageError(f"`--init` must be one of {', '.join(INITS)} with `--batch`, got '{options.init}'.")
