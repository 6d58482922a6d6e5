"""Whole runs of the command line whose threads spin or sleep while they wait, quiet and beside other work.

    python benchmarks/threads.py --output benchmarks/results/threads.jsonl

By turns, because machines change: in each round every policy paints the same picture once. Beside it is
nothing, or as many processes as there are cores, which multiply matrices all the time. Printed are the
medians, and how they relate to the default of torch. The machine should have nothing else to do.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from pictures import painting, photograph
from records import append, machine, table

POLICIES = {
    # A variable that libgomp does not know: with it the command line leaves the default of torch.
    "default": {"KMP_BLOCKTIME": "200"},
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "chosen": {},
}
BUSY = "import torch; torch.set_num_threads(1); a = torch.rand(500, 500)\nwhile True: a @ a"


@contextmanager
def beside(processes: int) -> Iterator[None]:
    """A context in which so many processes have kept a core busy each for a minute, and go on."""
    started = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        if started:
            # The load of the system, by which the command line decides, is a mean of the last minute.
            time.sleep(60)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def seconds(policy: str, size: int, steps: int) -> float:
    """How long a whole process takes."""
    known = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
    environment = {name: value for name, value in os.environ.items() if name not in known} | POLICIES[policy]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pystyle", "stylize", str(photograph("chelsea"))]
        command += [str(painting("cypresses")), "-o", str(Path(folder) / "out.png"), "--quiet"]
        start = time.perf_counter()
        subprocess.run(
            [*command, "--size", str(size), "--steps", str(steps), "--device", "cpu"],
            check=True,
            env=environment,
        )
        return time.perf_counter() - start


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/threads.jsonl"))
    options = parser.parse_args(argv)
    cores = machine(torch.device("cpu"))["cores"]
    rows = []
    for load, processes in (("quiet", 0), ("busy", cores)):
        found: dict[str, list[float]] = {policy: [] for policy in POLICIES}
        with beside(processes):
            for _ in range(options.rounds):
                for policy, measured in found.items():
                    measured.append(seconds(policy, options.size, options.steps))
                    line = {"policy": policy, "load": load, "seconds": round(measured[-1], 2)}
                    append(options.output, {**line, "size": options.size, "steps": options.steps})
        medians = {policy: statistics.median(measured) for policy, measured in found.items()}
        rows += [
            (load, policy, f"{median:.1f}", f"{median / medians['default']:.2f}")
            for policy, median in medians.items()
        ]
    print(table(("machine", "policy", "seconds", "to the default"), rows))


if __name__ == "__main__":
    main()
