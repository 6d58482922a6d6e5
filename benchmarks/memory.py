"""Measure the memory of one evaluation of pystyle and of its peers, each in a process of its own.

    python benchmarks/memory.py --edge-sizes 256 512 1024 --output benchmarks/results/memory.jsonl

The increment is the largest resident memory during the evaluation, less what was resident before it, when
the network and the targets were there already. On Linux the kernel's high-water mark is set back before the
evaluation; elsewhere the memory is sampled. glibc is told to map every large block anew, as it does at
first: once it has learnt to keep freed blocks, the same evaluation takes up to half more at one time than at
another, and the difference is fragments. On an accelerator the memory is that of torch's allocator.

A variant that the system kills for its memory is recorded as failed. What is there already is not measured
again.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import torch
from objectives import iterate, square_pair
from records import Line, append, machine, read, synchronize, table
from variants import VARIANTS, available

from pystyle.encoders import vgg19

ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "131072"}

COLUMNS = ("increment_mib", "bytes_per_pixel", "process_mib")
WARM_UP_EDGE_SIZE = 64
"""A first evaluation at this size compiles kernels and reorders weights, once and for all sizes."""


def peak_of(function: Callable[[], object], device: torch.device) -> tuple[int, int, str]:
    """Bytes before a call, the most during it, and how they were measured."""
    if device.type != "cpu":
        synchronize(device)
        torch.accelerator.reset_peak_memory_stats(device)
        before = torch.accelerator.memory_allocated(device)
        function()
        synchronize(device)
        return before, torch.accelerator.max_memory_allocated(device), "allocator"
    _return_free_memory()
    if _reset_high_water_mark():
        before = _status("VmRSS")
        function()
        return before, max(before, _status("VmHWM")), "high-water mark"
    with _Sampler() as sampler:
        before = sampler.resident()
        function()
    return before, sampler.most, "samples"


def measure(name: str, edge_size: int, device: torch.device) -> Line:
    """The figures of one variant at one size, in this process."""
    build = VARIANTS[name].build
    encoder = vgg19().to(device)
    small = [image.to(device) for image in square_pair(WARM_UP_EDGE_SIZE)]
    build(encoder, *small)(iterate(*small))
    content, style = (image.to(device) for image in square_pair(edge_size))
    image = iterate(content, style)
    step = build(encoder, content, style)
    before, most, method = peak_of(lambda: step(image), device)
    return {
        "increment_bytes": most - before,
        "bytes_per_pixel": (most - before) / edge_size**2,
        "increment_mib": (most - before) / 2**20,
        "process_mib": most / 2**20,
        "method": method,
    }


def measure_apart(name: str, edge_size: int, device: torch.device) -> Line:
    """The figures of one variant at one size, or why there are none, from another process."""
    command = [sys.executable, __file__, "--measure", name, "--edge-sizes", str(edge_size)]
    command += ["--device", str(device)]
    environment = os.environ | ENVIRONMENT
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    figures = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    failed = "" if figures else f"exit status {done.returncode}: {done.stderr.strip()[-200:]}"
    return {
        "variant": name,
        "objective": VARIANTS[name].objective,
        "edge_size": edge_size,
        "pixels": edge_size**2,
        **(figures or {"failed": failed}),
        "machine": machine(device),
    }


def _return_free_memory() -> None:
    """Give back what the allocator keeps; otherwise the evaluation fills it first and looks too small."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _reset_high_water_mark() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    # Some kernels take the order and do nothing.
    return _status("VmHWM") < 1.05 * _status("VmRSS")


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"{key}:"))
    return 1024 * int(value)


class _Sampler(threading.Thread):
    """Looks at the resident memory every millisecond."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        import psutil

        self._process, self._done, self.most = psutil.Process(), threading.Event(), 0

    def resident(self) -> int:
        """Bytes that are resident now."""
        return int(self._process.memory_info().rss)

    def run(self) -> None:
        """Until the block ends."""
        while not self._done.wait(0.001):
            self.most = max(self.most, self.resident())

    def __enter__(self) -> "_Sampler":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edge-sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/memory.jsonl"))
    parser.add_argument("--measure", choices=VARIANTS, help="this one only, here, and print its figures")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.edge_sizes[0], arguments.device)))
        return
    device = machine(arguments.device)["device"]
    done = {
        (line["variant"], line["edge_size"], line["machine"]["device"]) for line in read(arguments.output)
    }
    for edge_size in arguments.edge_sizes:
        for name in available(arguments.variants, arguments.device):
            if (name, edge_size, device) not in done:
                append(arguments.output, measure_apart(name, edge_size, arguments.device))
    rows = [
        [line["variant"], line["edge_size"]]
        + [f"{line[column]:.0f}" if column in line else "failed" for column in COLUMNS]
        for line in read(arguments.output)
    ]
    print(table(["variant", "edge", "increment (MiB)", "bytes per pixel", "process (MiB)"], rows))


if __name__ == "__main__":
    main()
