"""The loops of peers and of pystyle, from the content image, on the objective of Gatys.

After each of the wanted numbers of evaluations a loop reports its picture, with the time that it has taken so
far. The time that the report takes does not count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from objectives import gatys_criterion
from peers import pystiche
from records import Stopwatch
from steps import Step
from strategies import EAGER, keyword
from torch import Tensor
from tutorial import tutorial

from pystyle import optimize_image
from pystyle.encoders import SequentialEncoder
from pystyle.optim import LBFGS
from pystyle.runner import Step as RunnerStep

CROWSON_ADAM = partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99))
CROWSON_DECAY = 0.99


@dataclass(frozen=True)
class Checkpoint:
    """A picture on the way.

    Attributes:
        evaluations: How often loss and gradient were computed.
        image: What the loop would save; it may leave [0, 1].
        seconds: What the loop took.
        processor_seconds: What its processors worked, divided by the number of threads.
    """

    evaluations: int
    image: Tensor
    seconds: float
    processor_seconds: float


Report = Callable[[Checkpoint], None]
Loop = Callable[[SequentialEncoder, Tensor, Tensor, tuple[int, ...], Report], None]


def pystiche_loop(
    encoder: SequentialEncoder, content: Tensor, style: Tensor, evaluations: tuple[int, ...], report: Report
) -> None:
    """`pystiche.optim.image_optimization` as it ships: torch's L-BFGS, a history of 100, no bounds."""
    optimizer = partial(torch.optim.LBFGS, lr=1.0, max_iter=1)
    descend(pystiche(encoder, content, style), content, evaluations, report, optimizer)


def crowson_loop(
    encoder: SequentialEncoder, content: Tensor, style: Tensor, evaluations: tuple[int, ...], report: Report
) -> None:
    """Crowson's: Adam, clamped after each step; the average of the iterates is saved.

    The gradient is that of the plain loop, for her own is of another objective.
    """
    step = tutorial(encoder, content, style)
    descend(step, content, evaluations, report, CROWSON_ADAM, bounds=(0, 1), decay=CROWSON_DECAY)


def pystyle_loop(
    *,
    strategy: str | None = None,
    precision: str | None = None,
    rows: int | None = None,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    averaging: float | None = None,
    **options: Any,
) -> Loop:
    """A loop of pystyle: its L-BFGS with these options, within bounds, by one of its strategies.

    The seconds contain the representation of the references, which takes about as long as one step.
    """
    given = {"precision": precision, "rows": rows}
    settings = {name: value for name, value in given.items() if value is not None}

    def loop(
        encoder: SequentialEncoder,
        content: Tensor,
        style: Tensor,
        evaluations: tuple[int, ...],
        report: Report,
    ) -> None:
        watch = Stopwatch(content.device)

        def look(step: RunnerStep) -> None:
            if step.index in evaluations:
                watch.pause()
                report(Checkpoint(step.index, step.image, watch.seconds, watch.processor_seconds))
                watch.start()

        watch.start()
        optimize_image(
            gatys_criterion(encoder),
            {"content": content, "style": style},
            optimizer=partial(LBFGS, **options),
            num_steps=max(evaluations),
            bounds=bounds,
            averaging=averaging,
            callbacks=[look],
            **keyword(strategy or (EAGER if settings else None), **settings),
        )

    return loop


def descend(
    step: Step,
    start: Tensor,
    evaluations: tuple[int, ...],
    report: Report,
    optimizer: Callable[[list[Tensor]], torch.optim.Optimizer],
    *,
    bounds: tuple[float, float] | None = None,
    decay: float | None = None,
) -> None:
    """A plain loop around an optimizer of torch, one evaluation in each step."""
    image = start.clone().requires_grad_()
    descent = optimizer([image])
    average, watch = torch.zeros_like(start), Stopwatch(start.device)

    def closure() -> Tensor:
        loss, gradient = step(image.detach())
        image.grad = gradient.contiguous()
        return loss

    watch.start()
    for index in range(1, max(evaluations) + 1):
        descent.step(closure)
        if bounds is not None:
            image.data.clamp_(*bounds)
        if decay is not None:
            average.lerp_(image.data, 1 - decay)
        if index in evaluations:
            picture = image.detach().clone() if decay is None else average / (1 - decay**index)
            watch.pause()
            report(Checkpoint(index, picture, watch.seconds, watch.processor_seconds))
            watch.start()
