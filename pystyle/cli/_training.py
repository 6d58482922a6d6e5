"""One training that gives the network so far, whatever ends it."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import torch

from pystyle.cli._announce import announcements
from pystyle.cli._encoders import chosen_device
from pystyle.cli._keeping import checkpoints_of
from pystyle.cli._so_far import Latest, check_begun, last_terms, terms_of, whatever_ends_it
from pystyle.cli._train_inputs import criterion_of
from pystyle.criterion import Terms
from pystyle.evaluation import EagerEvaluation
from pystyle.evaluation._precision import precision_on
from pystyle.networks import Stylizer
from pystyle.runner import Callback, ProgressBar, Step
from pystyle.stylization._recipe import STRENGTHS
from pystyle.training import Phase, SteadyTask, TrainingResult, TrainingStep, train
from pystyle.training._player import SIGNALS

_BALANCE = 6.0
"""How long the gradient of the style is at first, for 1 of that of the rest.

With the weights of `stylize` it is 5 to 20 at the first pictures of a network, and 6 on the median of five
paintings.
"""

_IDENTITY = 0.1
"""The share of the steps in which a network for any style learns to paint what it sees."""


@dataclass(frozen=True)
class Training:
    """What a training came to.

    Attributes:
        network: The network.
        steps: How many steps were taken.
        num_steps: How many were planned.
        seconds: How long they took.
        stop_reason: ``"finished"``, ``"interrupted"``, or a sentence about what went wrong.
        loss: The last total; None if it is unknown.
        terms: The parts of it by name; None if one is not finite.
        skipped: Steps that were left out.
        factors: What the weights of losses were multiplied by to balance them.
        signals: What discriminators said of themselves in the last step.
        warnings: What was said of the training while it went on.
        error: What ended the training if not the training itself.
    """

    network: Stylizer
    steps: int
    num_steps: int
    seconds: float
    stop_reason: str
    loss: float | None
    terms: dict[str, float | None]
    skipped: int
    factors: dict[str, float] = field(default_factory=dict)
    signals: dict[str, float | None] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    error: Exception | None = None

    def __str__(self) -> str:
        """The facts for a sentence."""
        count = f"{self.steps}" if self.steps == self.num_steps else f"{self.steps} of {self.num_steps}"
        steps = f"{count} step{'' if self.num_steps == 1 else 's'}"
        kind = type(self.network).__name__
        article = "an" if kind[0] in "AEIOU" else "a"
        numbers = f"{parameter_count(self.network):,} numbers"
        return f"{article} {kind} with {numbers}, {steps} in {self.seconds:.1f} s"


def parameter_count(network: Stylizer) -> int:
    """How many numbers a network has learned."""
    return sum(parameter.numel() for parameter in network.parameters())


def run_training(
    options: argparse.Namespace,
    network: Stylizer,
    *,
    contents: Any,
    styles: Any,
    arguments: Callable[[], Mapping[str, Any]],
    callbacks: Sequence[Callback],
    progress: bool,
) -> Training:
    """Run `train` with the options of the command.

    Args:
        options: The options.
        network: The network.
        contents: The photographs.
        styles: The paintings.
        arguments: Makes what else `train` is given: the criterion, and how the network learns it.
        callbacks: Callbacks beside a progress bar.
        progress: Whether there is a progress bar.

    Raises:
        UsageError: If an argument is impossible, such as crops that are too small for the encoder.
        KeyboardInterrupt: If there was one before the first step.
        Exception: Whatever went wrong before the first step.
    """
    latest, warnings = Latest(), list[str]()
    bars = [ProgressBar(images_per_step=options.batch_size)] if progress else []

    def run() -> Training:
        made = _with_steadiness(arguments(), options.steady)
        with announcements(wanted=progress, warnings=warnings):
            result = train(
                network,
                **made,
                contents=contents,
                styles=styles,
                seed=options.seed,
                num_workers=options.workers,
                callbacks=[latest, *bars, *callbacks],
                checkpoint=checkpoints_of(options),
                resume=options.resume,
            )
        check_begun(result.stop_reason, latest, run="training", kind="network")
        return _complete(result, latest.step, options.num_steps)

    return replace(whatever_ends_it(run, latest, _so_far), warnings=warnings)


def _with_steadiness(arguments: Mapping[str, Any], weight: float) -> Mapping[str, Any]:
    if not weight:
        return arguments
    return {**arguments, "tasks": {**arguments.get("tasks", {}), "steady": SteadyTask(weight=weight)}}


def painting_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """What `train` is given beside the images, if pictures are compared with their own style."""
    precision = precision_on(chosen_device(options), options.precision)
    return {
        "criterion": criterion_of(options),
        "phases": _phases(options),
        "batch_size": options.batch_size,
        "optimizer": partial(torch.optim.Adam, lr=options.learning_rate),
        "balance": {"style": _BALANCE * STRENGTHS.get(options.strength, options.strength)},
        "evaluation": EagerEvaluation(precision),
        "autocast": precision == "bfloat16",
    }


def _phases(options: argparse.Namespace) -> list[Phase]:
    first = round(_IDENTITY * options.num_steps) if options.any_style and options.start is None else 0
    identity = {"crop_size": options.crop_size, "identity": True, "weights": {"style": 0.0}}
    return [
        *([Phase(first, **identity)] if first else []),
        Phase(options.num_steps - first, crop_size=options.crop_size),
    ]


def _complete(result: TrainingResult, latest: Step | None, num_steps: int) -> Training:
    loss, last = last_terms(result.history)
    signals = _signals_in(last)
    return Training(
        network=result.network,
        steps=num_steps if latest is None else latest.index,
        num_steps=num_steps,
        seconds=result.seconds,
        stop_reason=result.stop_reason,
        loss=loss,
        terms={name: value for name, value in last.items() if name not in signals},
        skipped=result.skipped,
        factors=dict(result.factors or {}),
        signals=signals,
    )


def _so_far(step: Step, reason: str, error: Exception | None) -> Training:
    step = cast(TrainingStep, step)
    loss, terms = terms_of(step.terms)
    return Training(
        network=step.network,
        steps=step.index,
        num_steps=step.num_steps,
        seconds=step.seconds,
        stop_reason=reason,
        loss=loss,
        terms=terms,
        skipped=step.skipped,
        signals=_signals_in(terms_of(Terms({**step.terms, **step.signals}))[1]),
        error=error,
    )


def _signals_in(last: Mapping[str, float | None]) -> dict[str, float | None]:
    """What is no loss of the network in a row of a history."""
    names = [name.removesuffix(".accuracy") for name in last if name.endswith(".accuracy")]
    return {f"{name}.{signal}": last[f"{name}.{signal}"] for name in names for signal in SIGNALS}
