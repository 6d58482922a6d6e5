"""What `pystyle compress` measures: two networks that paint the same by turns, and are judged."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, NamedTuple

from torch import Tensor

from pystyle.images import quantise
from pystyle.metrics import Judge

Paint = Callable[[Tensor], Tensor]

_FIGURES = ("lpips", "style", "noise")
_REPEATS = 3


class Case(NamedTuple):
    """A photograph, the painting it is judged beside, and the style as a network takes it."""

    content: Tensor
    painting: Tensor
    style: Tensor | str


@dataclass(frozen=True)
class Measured:
    """A network: the bytes of its file, the seconds of a picture, and the means of its figures."""

    bytes: int
    seconds: float
    figures: dict[str, float]


def measured(
    cases: Sequence[Case], paints: Sequence[Sequence[Paint]], sizes: Sequence[int], judge: Judge
) -> list[Measured]:
    """Each network with its figures.

    Args:
        cases: What is painted.
        paints: For each case what paints it, in the order of the networks.
        sizes: The bytes of the networks.
        judge: The judge of the pictures, as they are saved.
    """
    seconds: list[list[float]] = [[] for _ in sizes]
    figures: list[list[dict[str, float]]] = [[] for _ in sizes]
    for case, painters in zip(cases, paints, strict=True):
        for index, (least, picture) in enumerate(_by_turns(case.content, painters)):
            seconds[index].append(least)
            found = judge(quantise(picture), case.content, case.painting).figures
            figures[index].append({name: float(found[name]) for name in _FIGURES if name in found})
    return [
        Measured(size, mean(passed), {name: mean(one[name] for one in own) for name in own[0]})
        for size, passed, own in zip(sizes, seconds, figures, strict=True)
    ]


def _by_turns(content: Tensor, painters: Sequence[Paint]) -> list[tuple[float, Tensor]]:
    """For each painter the least seconds, and the picture. The first turn warms up."""
    least = [math.inf] * len(painters)
    pictures = [content] * len(painters)
    for turn in range(_REPEATS + 1):
        for index, paint in enumerate(painters):
            start = time.perf_counter()
            pictures[index] = paint(content)
            if turn:
                least[index] = min(least[index], time.perf_counter() - start)
    return list(zip(least, pictures, strict=True))


def text(original: Measured, smaller: Measured) -> str:
    """A table of both, and what becomes of each figure."""
    columns = ["bytes", "seconds", *original.figures]
    lines = [["", *columns], *(_cells(name, one) for name, one in (("before", original), ("after", smaller)))]
    shares = _shares(original, smaller)
    last = ["", *(f"{shares[name]:.1%}" for name in columns[:2])]
    last += [f"{shares[name] - 1:+.1%}" for name in columns[2:]]
    widths = [max(map(len, column)) for column in zip(*lines, last, strict=True)]
    return "\n".join(
        "  ".join(
            [
                f"{line[0]:<{widths[0]}}",
                *(f"{cell:>{w}}" for cell, w in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in (*lines, last)
    )


def facts(original: Measured, smaller: Measured) -> dict[str, Any]:
    """The same as numbers: of both, and the ratios."""
    return {
        "before": {"bytes": original.bytes, "seconds": original.seconds, **original.figures},
        "after": {"bytes": smaller.bytes, "seconds": smaller.seconds, **smaller.figures},
        "ratios": _shares(original, smaller),
    }


def _cells(name: str, one: Measured) -> list[str]:
    return [name, f"{one.bytes:,}", f"{one.seconds:.3f}", *(f"{value:.3f}" for value in one.figures.values())]


def _shares(original: Measured, smaller: Measured) -> dict[str, float]:
    pairs = {"bytes": (original.bytes, smaller.bytes), "seconds": (original.seconds, smaller.seconds)}
    pairs |= {name: (value, smaller.figures[name]) for name, value in original.figures.items()}
    return {name: after / before if before else math.nan for name, (before, after) in pairs.items()}
