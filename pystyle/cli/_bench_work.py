"""What `pystyle bench` measures: a picture of a network, and a run of `stylize`."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pystyle._arguments import whole_numbers
from pystyle.cli._bench_memory import PeakMemory
from pystyle.cli._named_network import named_network
from pystyle.evaluation._precision import precision_on
from pystyle.images import resize
from pystyle.runner import Step
from pystyle.stylization import stylization_pyramid, stylize
from pystyle.typing import Precision, PrecisionChoice

STYLIZE = "stylize"

_WHOLE_RUN = 256
"""Up to this edge `stylize` takes all its steps."""

_ROUNDS = 7
_ROUND_SECONDS = 3.0
"""How long the rounds of a network may take together, after the first two."""
_STEPS = 3
"""At each size, where not all are taken: the first one makes ready, and two are measured."""

Clocks = tuple[float, float]
"""Seconds that passed, and those that the processor worked on all threads together."""


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        what: The name of a network, or `stylize`.
        size: The height and width of the picture, in pixels.
        precision: What it was computed in.
        seconds: For a picture.
        processor_seconds: The same by the time that the threads worked, on average; None on an accelerator.
        peak_bytes: The most memory; None if the system does not tell.
        extrapolated: Whether not all steps were taken.
    """

    what: str
    size: int
    precision: Precision
    seconds: float
    processor_seconds: float | None
    peak_bytes: int | None
    extrapolated: bool = False


def measured(
    what: str, size: int, device: torch.device, precision: PrecisionChoice, *, quick: bool = False
) -> Figures:
    """The figures of a network, by its name or its file, or of `stylize`.

    Args:
        what: The name.
        size: The edge of the picture.
        device: Where it is computed.
        precision: In what.
        quick: Whether `stylize` takes a few steps at all sizes.
    """
    chosen = precision_on(device, precision)
    if what == STYLIZE:
        return _of_stylize(size, device, chosen, whole=_is_whole(size, quick=quick))
    return _of_network(what, size, device, chosen)


def work(what: str, size: int, *, quick: bool = False) -> float:
    """How much there is to compute, relative to other sizes of the same.

    Example:
        >>> work("masters", 512) / work("masters", 256), work(STYLIZE, 512) / work(STYLIZE, 256)
        (4.0, 0.67...)
    """
    if what != STYLIZE:
        return size**2
    plan = stylization_pyramid(size)
    planned = whole_numbers(plan.num_steps, "`num_steps`")
    taken = _taken(planned, whole=_is_whole(size, quick=quick))
    return sum(steps * edge**2 for edge, steps in zip(plan.edge_sizes, taken, strict=True))


def picture(size: int, seed: int, device: torch.device) -> Tensor:
    """A square image with soft shapes and a little grain, the same on every machine."""
    generator = torch.Generator().manual_seed(seed)
    soft = resize(torch.rand(1, 3, 8, 8, generator=generator), (size, size))
    grain = torch.rand(1, 3, size, size, generator=generator)
    return (0.9 * soft + 0.1 * grain).clamp(0, 1).to(device)


def _of_network(what: str, size: int, device: torch.device, precision: Precision) -> Figures:
    network = named_network(what, "WHAT", device)
    content = picture(size, 0, device)
    style = network.styles[0] if network.styles else picture(max(size, network.smallest), 1, device)
    paint = network.bind(style, precision=precision)
    # The first round makes ready, and its memory is that of each.
    with PeakMemory(device) as memory:
        paint(content)
    taken = _rounds(lambda: paint(content), device)
    seconds, busy = (statistics.median(column) for column in zip(*taken, strict=True))
    return Figures(what, size, precision, seconds, _per_thread(busy, device), memory.bytes)


def _rounds(paint: Callable[[], object], device: torch.device) -> list[Clocks]:
    taken: list[Clocks] = []
    while len(taken) < 2 or (len(taken) < _ROUNDS and sum(seconds for seconds, _ in taken) < _ROUND_SECONDS):
        start = _clocks(device)
        paint()
        end = _clocks(device)
        taken.append((end[0] - start[0], end[1] - start[1]))
    return taken


def _is_whole(size: int, *, quick: bool) -> bool:
    return not quick and size <= _WHOLE_RUN


def _taken(planned: tuple[int, ...], *, whole: bool) -> tuple[int, ...]:
    """The steps of each level that are taken of those that are planned."""
    return planned if whole else tuple(min(_STEPS, steps) for steps in planned)


def _of_stylize(size: int, device: torch.device, precision: Precision, *, whole: bool) -> Figures:
    plan = stylization_pyramid(size)
    planned = whole_numbers(plan.num_steps, "`num_steps`")
    taken = _taken(planned, whole=whole)
    stamps: list[list[Clocks]] = [[] for _ in planned]

    def look(step: Step) -> None:
        stamps[step.level].append(_clocks(device))

    with PeakMemory(device) as memory:
        start = _clocks(device)
        stylize(
            picture(size, 0, device),
            picture(size, 1, device),
            edge_size=plan.edge_sizes,
            num_steps=taken,
            device=device,
            precision=precision,
            callbacks=look,
            on_interrupt="raise",
        )
        end = _clocks(device)
    seconds, busy = (
        extrapolated(total, [[stamp[clock] for stamp in level] for level in stamps], planned)
        for clock, total in enumerate((end[0] - start[0], end[1] - start[1]))
    )
    return Figures(
        STYLIZE, size, precision, seconds, _per_thread(busy, device), memory.bytes, taken != planned
    )


def extrapolated(total: float, stamps: Sequence[Sequence[float]], planned: Sequence[int]) -> float:
    """How long a run takes of which only the first steps at each level were taken.

    Args:
        total: How long these took, with all that comes before and after.
        stamps: When each step of each level ended.
        planned: How many steps each level has in all.

    Example:
        >>> extrapolated(10.0, [[1.0, 1.5, 2.0], [5.0, 7.0, 9.0]], [5, 4])
        13.0
    """
    for level, steps in zip(stamps, planned, strict=True):
        if len(level) > 1:
            total += (steps - len(level)) * (level[-1] - level[0]) / (len(level) - 1)
    return total


def _clocks(device: torch.device) -> Clocks:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter(), time.process_time()


def _per_thread(busy: float, device: torch.device) -> float | None:
    return busy / torch.get_num_threads() if device.type == "cpu" else None
