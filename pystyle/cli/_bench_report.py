"""What `pystyle bench` prints."""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import torch

from pystyle.cli import _info
from pystyle.cli._bench_figures import MACHINE, OTHER_MACHINE, SECONDS
from pystyle.cli._bench_work import Figures
from pystyle.cli._errors import printable

Missing = tuple[str, int, str]
"""What was not measured, at which size, and why."""

_BUSY = 0.5
"""Processes that run beside this command, for each core."""


@dataclass(frozen=True)
class Surroundings:
    """The machine before the first measurement.

    Attributes:
        processor: Its name, as far as the system tells.
        cores: How many this process may use.
        threads: How many compute.
        load: Processes that ran or waited to, in the minute before; None if the system does not tell.
        clock: When that was.
    """

    processor: str
    cores: int
    threads: int
    load: float | None
    clock: float

    @classmethod
    def now(cls) -> Self:
        """The machine as it is."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(_processor(), cores, torch.get_num_threads(), _load(), time.perf_counter())

    @property
    def busy(self) -> bool:
        """Whether other work takes its time."""
        return self.load is not None and self.load > _BUSY * self.cores


def facts_of(
    figures: Sequence[Figures],
    missing: Sequence[Missing],
    before: Surroundings,
    seconds: float,
    device: torch.device,
) -> dict[str, Any]:
    """The same for programs."""
    return {
        **_info.facts(),
        "machine": {
            "processor": before.processor,
            "cores": before.cores,
            "threads": before.threads,
            "load_before": before.load,
            "load_after": _load(),
            "device": str(device),
            "environment": _environment(),
        },
        "seconds": round(seconds, 1),
        "figures": [{**asdict(line), "docs_seconds": _of_docs(line)} for line in figures],
        "missing": [{"what": what, "size": size, "reason": reason} for what, size, reason in missing],
        "docs_machine": MACHINE,
    }


def text_of(
    figures: Sequence[Figures],
    missing: Sequence[Missing],
    before: Surroundings,
    seconds: float,
    device: torch.device,
) -> str:
    """A table of Markdown, and what one must know to read it."""
    columns = ("picture", "pixels", "seconds", "processor seconds", "seconds in the docs", "peak memory")
    rows = [columns, ("---",) * len(columns), *map(_row, figures)]
    rows += [
        (f"`{printable(what)}`", f"{size} x {size}", reason, "", "", "") for what, size, reason in missing
    ]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    facts = ["```", *_machine(before, seconds, device), "```"]
    return "\n".join([*lines, "", _notes(figures, before, device), "", *facts])


def _row(line: Figures) -> tuple[str, ...]:
    about = "~" if line.extrapolated else ""
    busy, docs, peak = line.processor_seconds, _of_docs(line), line.peak_bytes
    return (
        f"`{printable(line.what)}`, {line.precision}",
        f"{line.size} x {line.size}",
        f"{about}{_rounded(line.seconds)}",
        "" if busy is None else f"{about}{_rounded(busy)}",
        "" if docs is None else _rounded(docs),
        "" if peak is None else f"{peak / 2**20:.0f} MiB",
    )


def _notes(figures: Sequence[Figures], before: Surroundings, device: torch.device) -> str:
    notes = []
    if any(line.extrapolated for line in figures):
        notes.append("~ is extrapolated from three steps at each size.")
    if any(_of_docs(line) is not None for line in figures):
        notes.append(
            f"The docs measured on {MACHINE}; `stylize` in float32 on {OTHER_MACHINE}. Compare rows, not "
            "machines."
        )
    whole = "of the whole process" if device.type == "cpu" else "of tensors on the device"
    notes.append(f"Peak memory is that {whole}.")
    if before.busy:
        notes.append(
            f"**The machine was busy** (load {before.load:.1f}, {before.cores} cores): there are too many "
            "seconds, and the processor seconds are nearer to those of a quiet one."
        )
    return " ".join(notes)


def _machine(before: Surroundings, seconds: float, device: torch.device) -> list[str]:
    load = "unknown" if before.load is None else f"{before.load:.1f} before, {_load():.1f} after"
    rows = {
        "bench took": f"{seconds:.0f} s",
        "device": str(device),
        "processor": before.processor or "unknown",
        "cores": f"{before.cores} for this process",
        "threads": f"{before.threads}",
        "load": load,
        "environment": ", ".join(f"{name}={value}" for name, value in _environment().items()) or "as it is",
    }
    return [*(_info.line_of(name, value) for name, value in rows.items()), _info.text_of(_info.facts())]


def _of_docs(line: Figures) -> float | None:
    return SECONDS.get((line.what, line.size, line.precision))


def _rounded(seconds: float) -> str:
    """Two or three digits that count."""
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"


def _environment() -> dict[str, str]:
    """Variables that decide how threads compute."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "MALLOC_MMAP_THRESHOLD_", "LD_PRELOAD")
    return {name: os.environ[name] for name in names if name in os.environ}


def _load() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):  # The system does not tell.
        return None


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor()
