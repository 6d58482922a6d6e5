"""Take very many steps of small runs, and watch what a long run must not collect.

    python benchmarks/soak.py --num-steps 20000 --output benchmarks/results/soak.jsonl

Each variant runs in a process of its own: 16 pixels, a small random network, a loss that draws anew in each
step so that there is always something to do, a log, and a checkpoint every twentieth of the run unless the
variant has none. As often, garbage is collected, and counted are resident memory, open files, threads,
hooks of the modules, tensors that Python holds, and all objects that it tracks. The slope is that of a
straight line through the resident memory after the first quarter of the run. The history itself takes some
dozen bytes per step, and three times as many with checkpoints, which hold a copy.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from records import Line, append, machine, table
from torch import Tensor, nn

from pystyle import ContentLoss, Criterion, GramLoss, SlicedWassersteinLoss, optimize_image
from pystyle.checkpoints import Checkpoints
from pystyle.encoders import SequentialEncoder
from pystyle.optim import LBFGS
from pystyle.runner import CSVLogger, Step
from pystyle.typing import OptimizerFactory

SAMPLES = 20
WARM_UP = SAMPLES // 4
EDGE_SIZE = 16


class Variant(NamedTuple):
    """An optimizer, and whether there are checkpoints."""

    optimizer: OptimizerFactory
    checkpoints: bool = True


VARIANTS = {
    "L-BFGS": Variant(LBFGS),
    "Adam": Variant(partial(torch.optim.Adam, lr=0.01)),
    "L-BFGS, no checkpoints": Variant(LBFGS, checkpoints=False),
}


def criterion() -> Criterion:
    """A small network, and losses of all kinds; one of them draws anew in each step."""
    generator = torch.Generator().manual_seed(0)
    conv = nn.Conv2d(3, 6, 3, padding=1)
    with torch.no_grad():
        for parameter in conv.parameters():
            parameter.uniform_(-0.5, 0.5, generator=generator)
    losses = {
        "content": ContentLoss("relu"),
        "gram": GramLoss("relu"),
        "style": SlicedWassersteinLoss("relu", resample=True),
    }
    return Criterion(SequentialEncoder({"conv": conv, "relu": nn.ReLU()}), losses)


def counts(modules: nn.Module) -> dict[str, int]:
    """What a long run must not collect, now."""
    gc.collect()
    objects = gc.get_objects()
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "resident_bytes": _status("VmRSS") * 1024,
        "files": len(os.listdir("/proc/self/fd")),
        "threads": _status("Threads"),
        "hooks": sum(len(getattr(module, name)) for module in modules.modules() for name in hooks),
        "tensors": sum(issubclass(type(item), Tensor) for item in objects),
        "objects": len(objects),
    }


def slope(values: Sequence[float], steps: Sequence[float]) -> float:
    """How much the values rise per 1,000 steps, by least squares."""
    x, y = (torch.tensor(column, dtype=torch.float64) for column in (steps, values))
    x, y = x - x.mean(), y - y.mean()
    return 1000 * float((x * y).sum() / (x * x).sum())


def measure(name: str, num_steps: int) -> Line:
    """The figures of one variant, in this process."""
    interval = num_steps // SAMPLES
    samples: list[dict[str, int]] = []
    goal = criterion()

    def sample(step: Step) -> None:
        if step.index % interval == 0:
            samples.append({"step": step.index, **counts(goal)})

    images = [
        torch.rand(1, 3, EDGE_SIZE, EDGE_SIZE, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 2)
    ]
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoints(Path(folder, "run"), steps=interval) if VARIANTS[name].checkpoints else None
        result = optimize_image(
            goal,
            dict(zip(("content", "style"), images, strict=True)),
            optimizer=VARIANTS[name].optimizer,
            num_steps=num_steps,
            callbacks=[CSVLogger(Path(folder, "log.csv")), sample],
            checkpoint=checkpoint,
        )
        rows = len(Path(folder, "log.csv").read_text().splitlines()) - 1
    return {**summary(samples), "stop_reason": result.stop_reason, "rows": rows, "seconds": result.seconds}


def summary(samples: Sequence[dict[str, int]]) -> Line:
    """The slope of the resident memory after the warm-up; the smallest and largest of all counts."""
    settled = samples[WARM_UP:]
    columns = {key: [sample[key] for sample in settled] for key in samples[0]}
    steps, resident = columns.pop("step"), columns["resident_bytes"]
    return {
        "num_steps": steps[-1],
        "resident_bytes_per_1000_steps": slope(resident, steps),
        "objects_per_1000_steps": slope(columns["objects"], steps),
        **{key: [min(column), max(column)] for key, column in columns.items()},
    }


def measure_apart(name: str, num_steps: int) -> Line:
    """The figures of one variant, from another process."""
    command = [sys.executable, __file__, "--measure", name, "--num-steps", str(num_steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The run {name!r} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    figures: Line = json.loads(done.stdout.splitlines()[-1])
    return {"variant": name, "edge_size": EDGE_SIZE, **figures}


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"{key}:"))
    return int(value)


def main() -> None:
    """Measure the variants, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num-steps", type=int, default=20_000)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/soak.jsonl"))
    parser.add_argument("--measure", choices=VARIANTS, help="this one only, here, and print its figures")
    arguments = parser.parse_args()
    if arguments.num_steps < SAMPLES or arguments.num_steps % SAMPLES:
        parser.error(f"--num-steps must be a multiple of {SAMPLES}, got {arguments.num_steps}.")
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.num_steps)))
        return
    lines = []
    for name in arguments.variants:
        lines.append(measure_apart(name, arguments.num_steps))
        append(arguments.output, {**lines[-1], "machine": machine(torch.device("cpu"))})
    columns = ("files", "threads", "hooks", "tensors", "objects")
    rows = [
        [line["variant"], line["num_steps"], f"{line['resident_bytes_per_1000_steps'] / 1024:.0f}"]
        + [" to ".join(map(str, line[column])) for column in columns]
        for line in lines
    ]
    print(table(["variant", "steps", "KiB per 1,000 steps", *columns], rows))


if __name__ == "__main__":
    main()
