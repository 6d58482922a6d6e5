"""One run of `stylize` that gives the picture so far, whatever ends it."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pystyle.cli._announce import announcements
from pystyle.cli._arguments import run_arguments
from pystyle.cli._encoders import chosen_encoder
from pystyle.cli._masks import Style
from pystyle.cli._so_far import Latest, check_begun, last_terms, terms_of, whatever_ends_it
from pystyle.runner import Callback, ProgressBar, Result, Step
from pystyle.stylization import stylize
from pystyle.typing import MaskedImage, Precision


@dataclass(frozen=True)
class Painting:
    """What a run came to.

    Attributes:
        image: The picture.
        steps: How many were taken.
        num_steps: How many were planned.
        seconds: How long it took.
        stop_reason: ``"finished"``, ``"interrupted"``, or a sentence about what went wrong.
        loss: The last total; None if it is unknown.
        terms: The parts of it by name; None if one is not finite.
        precision: Of the network that looks at the pictures; None if the run did not come to its end.
        error: What ended the run if not the run itself.
    """

    image: Tensor
    steps: int
    num_steps: int
    seconds: float
    stop_reason: str
    loss: float | None
    terms: dict[str, float | None]
    precision: Precision | None = None
    error: Exception | None = None

    def __str__(self) -> str:
        """The facts for a sentence."""
        height, width = self.image.shape[-2:]
        count = f"{self.steps}" if self.steps == self.num_steps else f"{self.steps} of {self.num_steps}"
        steps = f"{count} step{'' if self.num_steps == 1 else 's'}"
        return f"{width} x {height} pixels, {steps} in {self.seconds:.1f} s"


def paint(
    options: argparse.Namespace,
    content: Tensor | MaskedImage,
    styles: Style,
    *,
    callbacks: Sequence[Callback] = (),
    progress: bool,
    arguments: Mapping[str, Any] | None = None,
) -> Painting:
    """Run `stylize` with the options of every run, and further arguments of it.

    Raises:
        UsageError: If an argument is impossible, such as a size that is too small for the encoder.
        KeyboardInterrupt: If there was one before the first step.
        Exception: Whatever went wrong before the first step.
    """
    latest = Latest()
    arguments = {**(arguments or {}), **run_arguments(options)}
    seen_by: list[Callback] = [latest, *([ProgressBar()] if progress else []), *callbacks]

    def run() -> Painting:
        encoder = chosen_encoder(options)
        with announcements(wanted=progress):
            result = stylize(content, styles, encoder=encoder, callbacks=seen_by, **arguments)
        check_begun(result.stop_reason, latest, kind="picture")
        return complete(result, latest.step)

    return whatever_ends_it(run, latest, so_far)


def complete(result: Result, latest: Step | None) -> Painting:
    """What a run came to that ended by itself, with its last step if it took one."""
    loss, terms = last_terms(result.history)
    # Without a step of its own a run went on from the checkpoint of its last one.
    steps = result.steps if latest is None else latest.index
    return Painting(
        image=result.image,
        steps=steps,
        num_steps=steps if latest is None else latest.num_steps,
        seconds=result.seconds,
        stop_reason=result.stop_reason,
        loss=loss,
        terms=terms,
        precision=result.precision,
    )


def so_far(step: Step, reason: str, error: Exception | None) -> Painting:
    """What there is after a step of a run that something ended."""
    loss, terms = terms_of(step.terms)
    return Painting(
        image=step.image,
        steps=step.index,
        num_steps=step.num_steps,
        seconds=step.seconds,
        stop_reason=reason,
        loss=loss,
        terms=terms,
        error=error,
    )
