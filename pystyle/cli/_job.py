"""Painting all images in a folder, as a job that can be gone on with."""

import argparse
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from pystyle.cli._announce import announcements, say
from pystyle.cli._arguments import in_options
from pystyle.cli._errors import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_LEFT_OUT, CommandError, UsageError
from pystyle.cli._tell import tell_facts
from pystyle.cli._values import rgb_of
from pystyle.jobs import JobEntry, JobReport, stylize_folder
from pystyle.runner import Result

_FORMAT = "png"


def run_job(
    options: argparse.Namespace,
    source: Path,
    styles: Sequence[str],
    output: Path,
    *,
    recipe: Callable[..., Result],
) -> int:
    """Paint all images in a folder, say what became of them, and return the exit code.

    Args:
        options: Those of the command about files, who works, and what is said.
        source: The folder of the images.
        styles: Files that are read once.
        output: The folder of the pictures.
        recipe: What is done to each image.
    """
    told: list[Callable[[JobEntry], None]] = []
    if not (options.quiet or options.json):
        told.append(lambda entry: say(in_options(f"{entry}", options.option_names)))
    try:
        with announcements(wanted=bool(told)):
            report = stylize_folder(
                source,
                styles,
                output,
                recipe=recipe,
                extension=f".{options.format or _FORMAT}",
                bits=options.bits,
                quality=options.quality,
                keep_metadata=options.keep_metadata,
                background=None if options.background is None else rgb_of(options.background),
                max_pixels=options.max_pixels,
                workers=options.workers or 1,
                on=options.on or "processes",
                retry_failed=options.retry_failed,
                overwrite=options.overwrite,
                callbacks=told,
            )
    except KeyboardInterrupt:
        say(f"Interrupted. What is done stays in '{output}'; the same command does the rest.")
        return EXIT_INTERRUPTED
    except ValueError as error:
        raise UsageError(str(error)) from error
    # What is said has the name that was given.
    report = replace(report, output=output)
    _say_left_out(report, told=bool(told))
    if options.json:
        tell_facts(_facts(report))
    elif told and not report.empty:
        say(f"{report}")
    _say_failures(report, options.option_names, told=bool(told))
    if report.empty:
        raise CommandError(f"There is no image in '{source}' that can be read. Nothing was painted.")
    if report.failed:
        return EXIT_FAILURE
    return EXIT_LEFT_OUT if report.left_out else 0


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
