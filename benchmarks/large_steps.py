"""Take a whole step of an image that is large, and measure its memory, in a process of its own.

    python benchmarks/large_steps.py --edge-sizes 4096 --precisions bfloat16 float32
    python benchmarks/large_steps.py --edge-sizes 8192 --precisions bfloat16

A step is the evaluation in strips, the optimizer, the projection and what the runner remembers, on the
objective of Gatys, when its targets are there; at the end the picture is evaluated without a gradient.
``process_mib`` is the largest resident memory meanwhile, with Python, torch and the network;
``announced_mib`` is what `estimate_memory` says that the run takes beside them.

Each line is one size, precision and optimizer. What is there already is not measured again.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import torch
from memory import ENVIRONMENT, peak_of
from objectives import gatys_criterion, square_pair
from records import Line, append, machine, read, table

from pystyle.encoders import vgg19
from pystyle.evaluation import StripEvaluation
from pystyle.optim import LBFGS
from pystyle.runner import Runner, estimate_memory
from pystyle.typing import OptimizerFactory

OPTIMIZERS: dict[str, OptimizerFactory] = {
    "Adam": partial(torch.optim.Adam, lr=0.02),
    "LBFGS-5": partial(LBFGS, history_size=5),
}
PRECISIONS = ("float32", "bfloat16")
KEYS = ("edge_size", "precision", "optimizer", "rows", "steps")
FIGURES = ("announced_mib", "process_mib", "seconds", "processor_seconds")


def measure(key: Line) -> Line:
    """The figures of some steps, in this process."""
    criterion, side = gatys_criterion(vgg19()), key["edge_size"]
    evaluation, optimizer = StripEvaluation(key["rows"], key["precision"]), OPTIMIZERS[key["optimizer"]]
    announced = estimate_memory(criterion, (side, side), optimizer=optimizer, evaluation=evaluation)
    content, style = square_pair(side)
    runner = Runner(
        evaluation.bind(criterion, {"content": content, "style": style}), content, optimizer=optimizer
    )
    del content, style
    seconds, processor_seconds = time.perf_counter(), time.process_time()
    _, most, method = peak_of(lambda: runner.run(key["steps"]), torch.device("cpu"))
    return {
        "announced_mib": announced / 2**20,
        "process_mib": most / 2**20,
        "seconds": time.perf_counter() - seconds,
        "processor_seconds": time.process_time() - processor_seconds,
        "method": method,
    }


def measure_apart(key: Line) -> Line:
    """The same, or why there are no figures, from another process."""
    command = [sys.executable, __file__, "--measure", json.dumps(key)]
    environment = os.environ | ENVIRONMENT
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        return {"failed": f"exit status {done.returncode}: {done.stderr.strip()[-200:]}"}
    figures: Line = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edge-sizes", type=int, nargs="+", default=[4096])
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, default=["Adam"])
    parser.add_argument("--rows", type=int, default=36, help="height of a strip")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/large_steps.jsonl"))
    parser.add_argument("--measure", type=json.loads, help="this line only, here, and print its figures")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    done = {tuple(line[name] for name in KEYS) for line in read(arguments.output)}
    for side in arguments.edge_sizes:
        for precision in arguments.precisions:
            for optimizer in arguments.optimizers:
                values = (side, precision, optimizer, arguments.rows, arguments.steps)
                key = dict(zip(KEYS, values, strict=True))
                if values not in done:
                    figures = measure_apart(key)
                    append(arguments.output, key | figures | {"machine": machine(torch.device("cpu"))})
    rows = [
        [
            *(line[name] for name in KEYS),
            *(f"{line[name]:.0f}" if name in line else "failed" for name in FIGURES),
        ]
        for line in read(arguments.output)
    ]
    print(table([*KEYS, *FIGURES], rows))


if __name__ == "__main__":
    main()
