"""`pystyle stylize --batch`: all images in a folder."""

import argparse
import json
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from pystyle.cli._announce import announcements, say
from pystyle.cli._arguments import in_options, run_arguments, style_arguments
from pystyle.cli._encoders import chosen_encoder
from pystyle.cli._errors import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_LEFT_OUT, CommandError, UsageError
from pystyle.cli._inputs import INITS, STANDARD_STREAM
from pystyle.cli._values import rgb_of
from pystyle.jobs import JobEntry, JobReport, stylize_folder
from pystyle.stylization import stylize

_ONLY_BATCH = {
    "batch_styles": "--style",
    "output_dir": "--output-dir",
    "workers": "--workers",
    "retry_failed": "--retry-failed",
    "format": "--format",
}
_NEVER_BATCH = {
    "output": "-o",
    "mask": "--mask",
    "style_mask": "--style-mask",
    "checkpoint": "--checkpoint",
    "resume": "--resume",
    "log": "--log",
    "save_every": "--save-every",
    "save_config": "--save-config",
}
_FORMAT = "png"


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
    told: list[Callable[[JobEntry], None]] = []
    if not (options.quiet or options.json):
        told.append(lambda entry: say(in_options(f"{entry}", options.option_names)))
    recipe = partial(stylize, **run_arguments(options), **style_arguments(options), init=options.init)
    try:
        with announcements(wanted=bool(told)):
            report = stylize_folder(
                options.batch,
                options.batch_styles or options.styles,
                options.output_dir,
                recipe=partial(recipe, encoder=chosen_encoder(options)),
                extension=f".{options.format or _FORMAT}",
                bits=options.bits,
                quality=options.quality,
                keep_metadata=options.keep_metadata,
                background=None if options.background is None else rgb_of(options.background),
                max_pixels=options.max_pixels,
                workers=options.workers or 1,
                retry_failed=options.retry_failed,
                overwrite=options.overwrite,
                callbacks=told,
            )
    except KeyboardInterrupt:
        say(f"Interrupted. What is done stays in '{options.output_dir}'; the same command does the rest.")
        return EXIT_INTERRUPTED
    except ValueError as error:
        raise UsageError(str(error)) from error
    _say_left_out(report, told=bool(told))
    if options.json:
        print(json.dumps(_facts(report)))
    elif told and not report.empty:
        say(f"{report}")
    _say_failures(report, options.option_names, told=bool(told))
    if report.empty:
        raise CommandError(f"There is no image in '{options.batch}' that can be read. Nothing was painted.")
    if report.failed:
        return EXIT_FAILURE
    return EXIT_LEFT_OUT if report.left_out else 0


def _check(options: argparse.Namespace) -> None:
    for name, option in _NEVER_BATCH.items():
        if getattr(options, name):
            raise UsageError(f"`{option}` must be left out with `--batch`, which paints many images.")
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
    if options.style_weights is not None and len(options.style_weights) != len(styles):
        raise UsageError(
            f"`--style-weights` must have one weight for each of the {len(styles)} styles, "
            f"got {len(options.style_weights)}."
        )
    if options.init not in INITS:
        raise UsageError(f"`--init` must be one of {', '.join(INITS)} with `--batch`, got '{options.init}'.")


def _say_left_out(report: JobReport, *, told: bool) -> None:
    files = report.left_out
    for file in files if told else ():
        say(f"{file}")
    if files and not told:
        count = "A file was" if len(files) == 1 else f"{len(files)} files were"
        say(f"error: {count} left out; the first is '{files[0].input}': {files[0].reason}")


def _say_failures(report: JobReport, option_names: Collection[str], *, told: bool) -> None:
    # Otherwise it was told when it happened, now or in a call before.
    for entry in () if told else report.failed:
        say(in_options(f"error: {entry}", option_names))
    if report.failed:
        images = "image" if len(report.failed) == 1 else "images"
        say(
            f"error: {len(report.failed)} {images} failed; the reasons are in "
            f"'{Path(report.output) / 'manifest.jsonl'}'. `--retry-failed` tries them again."
        )


def _facts(report: JobReport) -> dict[str, object]:
    return {
        "output": str(report.output.absolute()),
        "painted": [entry.output for entry in report.painted],
        "kept": [entry.output for entry in report.kept],
        "failed": {entry.input: entry.error for entry in report.failed},
        "left_out": {file.input: file.reason for file in report.left_out},
    }
