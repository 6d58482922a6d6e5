"""`pystyle bench`: how fast this machine paints, in a form that can be pasted into an issue."""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from pystyle.cli._announce import say
from pystyle.cli._bench_options import QUICK_SIZES, SIZES, add_arguments
from pystyle.cli._bench_report import Surroundings, facts_of, text_of
from pystyle.cli._bench_work import STYLIZE, Figures, measured, work
from pystyle.cli._encoders import chosen_device
from pystyle.cli._errors import EXIT_FAILURE, EXIT_INTERRUPTED, UsageError, one_line
from pystyle.cli._named_network import named_network
from pystyle.cli._tell import tell, tell_facts
from pystyle.cli._values import flat
from pystyle.networks import pretrained_names

__all__ = ["DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "measure how fast this machine paints, to paste into an issue"
DESCRIPTION = (
    "Measure the seconds and the memory of `stylize` and of each network that comes with pystyle, beside the "
    "figures of the documentation, and print a table with the facts of `pystyle info`. It takes no pictures "
    "and less than two minutes. Large runs of `stylize` are extrapolated from a few steps."
)

_LIMIT, _QUICK_LIMIT = 110.0, 25.0
"""Seconds that all measurements together may take, as far as that can be foreseen."""


@dataclass
class _Found:
    """What was measured so far, what was not, and why."""

    figures: list[Figures] = field(default_factory=list)
    missing: list[tuple[str, int, str]] = field(default_factory=list)
    failed: bool = False


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    if options.quick and options.sizes:
        raise UsageError("`--quick` has sizes of its own. Leave it out, or `--sizes`.")
    found, interrupted = _Found(), False
    with _threads(options.threads):
        before = Surroundings.now()
        try:
            _measure(options, found)
        except KeyboardInterrupt:
            if not found.figures:
                raise
            interrupted = True
        device, seconds = chosen_device(options), time.perf_counter() - before.clock
        arguments = (found.figures, found.missing, before, seconds, device)
        if options.json:
            tell_facts(facts_of(*arguments))
        else:
            tell(text_of(*arguments))
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_FAILURE if found.failed else 0


def _measure(options: argparse.Namespace, found: _Found) -> None:
    device, start = chosen_device(options), time.perf_counter()
    sizes = sorted(set(flat(options.sizes) or (QUICK_SIZES if options.quick else SIZES)))
    for what in options.what:
        # A name that is wrong must cost no measurement of those before it.
        if what != STYLIZE:
            named_network(what, "WHAT", device)
    limit = None if options.sizes else _QUICK_LIMIT if options.quick else _LIMIT
    # Seconds for a unit of work, by the last measurement of the same.
    rates: dict[str, float] = {}
    for what, size in _cells(options.what, sizes):
        begun = time.perf_counter()
        amount = work(what, size, quick=options.quick)
        forecast = amount * rates.get(what, 0.0)
        if limit is not None and begun - start + forecast > limit:
            more = f"about {forecast:.0f} s more" if forecast else "the others took too long"
            reason = f"left out: {more}. `--sizes {size}` measures it"
            found.missing.append((what, size, reason))
            continue
        if not options.quiet:
            say(f"{what} at {size} x {size} pixels ...")
        try:
            found.figures.append(measured(what, size, device, options.precision, quick=options.quick))
        # One that fails is a reason to read the others.
        except Exception as error:
            found.failed = True
            found.missing.append((what, size, one_line(f"failed: {type(error).__name__}: {error}")[:300]))
        else:
            rates[what] = (time.perf_counter() - begun) / amount


def _cells(what: Sequence[str], sizes: Sequence[int]) -> Iterator[tuple[str, int]]:
    """What is measured, at which sizes: what takes longest comes last."""
    names = list(dict.fromkeys(what)) or [*pretrained_names(), STYLIZE]
    return ((name, size) for name in names for size in sizes)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
