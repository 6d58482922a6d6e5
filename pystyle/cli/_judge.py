"""`pystyle judge`."""

import argparse
from typing import Any

import torch
from torch import Tensor

from pystyle.cli._announce import say
from pystyle.cli._arguments import in_options
from pystyle.cli._encoders import chosen_device
from pystyle.cli._errors import EXIT_FAILURE, EXIT_INTERRUPTED, CommandError, UsageError, describe
from pystyle.cli._inputs import STANDARD_STREAM, check_streams, pillow_limit, read_picture
from pystyle.cli._judge_inputs import Case, cases_of
from pystyle.cli._judge_options import NO_NETWORK, add_arguments
from pystyle.cli._judge_report import Judged, Table, as_csv, facts, mean_of, means
from pystyle.cli._judge_sheet import sheet, thumbnail
from pystyle.cli._outputs import check_picture_file, check_places
from pystyle.cli._picture import size_of
from pystyle.cli._tell import tell, tell_facts
from pystyle.images import resize, write_image
from pystyle.images._destinations import Destination
from pystyle.metrics import Judge, Judgement

__all__ = ["DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "judge finished pictures by measures that no objective has looked at"
DESCRIPTION = (
    "Judge pictures, as they are saved, beside their photograph and their painting: how much of the one they "
    "keep, how near to the other they come, and whether they are washed out or noisy."
)

_LEAST = 32
"""Pixels; with fewer, AlexNet has nothing left to look at."""
_LARGEST_STRETCH = 0.02
"""By how much the shapes of a picture and its photograph may differ; sizes are rounded."""


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    cases = _checked_cases(options)
    try:
        judge = (
            Judge()
            if options.network == NO_NETWORK
            else Judge.published(options.network, device=chosen_device(options))
        )
    except (ImportError, RuntimeError) as error:
        hint = f"Or leave lpips and style out: `--network {NO_NETWORK}`."
        raise CommandError(f"{error} {hint}") from error
    session = _Session(options, judge, cases)
    with pillow_limit(options.max_pixels):
        return session.run()


class _Session:
    """The pictures of a command line, one after the other."""

    def __init__(self, options: argparse.Namespace, judge: Judge, cases: list[Case]) -> None:
        self.options, self.judge, self.cases = options, judge, cases
        self.judged: list[Judged] = []
        self.failed: dict[str, str] = {}
        self.images: list[tuple[Tensor, Tensor, Tensor]] = []
        self.about: Judgement | None = None
        self.table: Table | None = None

    def run(self) -> int:
        """Judge all, print what was found, and return the exit code."""
        code = 0
        try:
            for case in self.cases:
                if self._try(case) and not (self.options.json or self.options.csv):
                    self._print(self.judged[-1])
        except KeyboardInterrupt:
            say(f"Interrupted; {len(self.judged)} of {len(self.cases)} pictures are judged.")
            code = EXIT_INTERRUPTED
        self._report()
        if self.failed and not code:
            code = EXIT_FAILURE
            if len(self.cases) > 1:
                say(f"{len(self.failed)} of {len(self.cases)} pictures could not be judged.")
        return code

    def _try(self, case: Case) -> bool:
        """Judge a picture, if that is possible."""
        try:
            self._judge(case)
        except (OSError, ValueError, CommandError, MemoryError, torch.OutOfMemoryError) as error:
            names = self.options.option_names
            told = str(error) if isinstance(error, ValueError) else describe(error, names)
            self.failed[case.picture] = reason = in_options(told, names)
            say(f"error: '{case.picture}' could not be judged: {reason}")
            return False
        return True

    def _judge(self, case: Case) -> None:
        picture, content, style = self._images_of(case)
        self.about = judgement = self.judge(picture, content, style)
        figures = {name: float(values) for name, values in judgement.figures.items()}
        height, width = picture.shape[2:]
        self.judged.append(Judged(case, (height, width), figures))
        if self.options.sheet is not None:
            self.images.append((thumbnail(picture), thumbnail(content), thumbnail(style)))

    def _images_of(self, case: Case) -> tuple[Tensor, Tensor, Tensor]:
        """The picture, its photograph and its painting, at the sizes at which they are looked at."""
        picture, content, style = (
            read_picture(path, max_pixels=self.options.max_pixels, background=None) for path in case[:3]
        )
        _check_shape(picture, content)
        size = size_of(picture, self.options.edge_size)
        style_size = size_of(style, self.options.style_size or min(size))
        for name, (height, width) in (("picture", size), ("painting", style_size)):
            if min(height, width) < _LEAST:
                raise ValueError(
                    f"A {name} must have at least {_LEAST} pixels each way to be judged, got "
                    f"{width} x {height}."
                )
        return resize(picture, size), resize(content, size), resize(style, style_size)

    def _print(self, judged: Judged) -> None:
        if self.table is None:
            groups = [mean_of(case.group) for case in self.cases if case.group is not None]
            self.table = Table([*(case.picture for case in self.cases), *groups], list(judged.figures))
            tell(self.table.head())
        tell(self.table.line(judged.case.picture, judged.figures))

    def _report(self) -> None:
        if self.options.json:
            tell_facts(self._facts())
        elif self.options.csv and self.judged:
            tell(as_csv(self.judged))
        elif self.table is not None:
            for group, figures in means(self.judged).items():
                tell(self.table.line(mean_of(group), figures))
            if not self.options.quiet:
                tell(f"\n{self.table.foot()}")
        if self.options.sheet is not None and self.images:
            write_image(sheet(self.judged, self.images), self.options.sheet)

    def _facts(self) -> dict[str, Any]:
        options, about = self.options, self.about
        settings = {
            "network": options.network,
            "size": options.edge_size,
            "style_size": options.style_size or "that of the picture",
            **(about.settings if about is not None else {}),
        }
        versions = about.versions if about is not None else {}
        return facts(self.judged, self.failed, settings=settings, versions=versions)


def _checked_cases(options: argparse.Namespace) -> list[Case]:
    """Everything that can be wrong is found before the computation."""
    check_streams([*options.results, options.content, options.style])
    if STANDARD_STREAM in (options.content, options.style):
        raise UsageError("`--content` and `--style` must be files or folders, since '-' is read once.")
    if options.json and options.csv:
        raise UsageError("`--json` and `--csv` both print on standard output. Choose one.")
    cases = cases_of(options)
    if options.sheet is not None:
        check_picture_file(options.sheet, overwrite=options.overwrite, option="--sheet")
        read = {path for case in cases for path in case[:3]}
        check_places([Destination("`--sheet`", options.sheet)], sorted(read))
    return cases


def _check_shape(picture: Tensor, content: Tensor) -> None:
    (height, width), (own_height, own_width) = picture.shape[2:], content.shape[2:]
    scale = min(height / own_height, width / own_width)
    stretched = max(height - scale * own_height, width - scale * own_width)
    if stretched > max(1.0, _LARGEST_STRETCH * max(height, width)):
        raise ValueError(
            f"A picture must have the shape of its photograph, got {width} x {height} pixels for "
            f"{own_width} x {own_height}. Crop one of them."
        )
