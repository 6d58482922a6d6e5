"""Measure the time of one step, forward and backward, of pystyle and of its peers.

    python benchmarks/step_time.py --edge-sizes 256 512 --output benchmarks/results/step_time.jsonl

All variants are in one process and take turns, round by round, each round from another first one, so
that what slows the machine for a while slows all of them. A line of JSON holds one size: for each variant the
median and the quartiles of the seconds, and how far its loss and gradient are from ours.

With them goes the speed of arithmetic in the same rounds: the best of a product of matrices and of a
convolution that fits the caches, for BLAS is not always the faster one. It gives the floor, which is the
time that the arithmetic of a step would take at that speed.

A size that is there already, on the same device and with the same threads, is not measured again; remove its
line to repeat it.
"""

import argparse
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from objectives import FLOPS_PER_PIXEL, iterate, square_pair
from records import CLOCKS, Line, Stopwatch, append, machine, read, synchronize, table
from torch.nn.functional import conv2d
from variants import VARIANTS, available, errors, ours

from pystyle.encoders import vgg19

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
REFERENCES = ("pystiche", "pystiche-frozen")


def take_turns(
    work: Mapping[str, Callable[[], object]], rounds: int, device: torch.device
) -> dict[str, list[Stopwatch]]:
    """The time of each piece of work in each round, after one call that does not count."""
    times: dict[str, list[Stopwatch]] = {name: [] for name in work}
    for run in work.values():
        run()
    synchronize(device)
    names = list(work)
    for index in range(rounds):
        first = index % len(names)
        for name in names[first:] + names[:first]:
            watch = Stopwatch(device)
            watch.start()
            work[name]()
            watch.pause()
            times[name].append(watch)
    return times


def summary(watches: list[Stopwatch]) -> Line:
    """The median and the quartiles, by both clocks."""
    figures: Line = {}
    for clock in CLOCKS:
        seconds = [getattr(watch, clock) for watch in watches]
        low, median, high = statistics.quantiles([*seconds, *seconds], n=4, method="inclusive")
        figures |= {clock: median, f"{clock}_quartiles": [low, high]}
    return figures


def arithmetic(device: torch.device, dtype: torch.dtype) -> dict[str, tuple[Callable[[], object], int]]:
    """Work that is nothing but arithmetic, by name, with its floating-point operations."""
    size, channels, side = 2048, 512, 64
    matrix = torch.ones(size, size, dtype=dtype, device=device)
    features = torch.ones(1, channels, side, side, dtype=dtype, device=device)
    kernel = torch.ones(channels, channels, 3, 3, dtype=dtype, device=device)
    features, kernel = (x.contiguous(memory_format=torch.channels_last) for x in (features, kernel))
    return {
        "product": (partial(torch.mm, matrix, matrix), 2 * size**3),
        "convolution": (partial(conv2d, features, kernel, padding=1), 2 * 9 * (channels * side) ** 2),
    }


def peak(
    work: Mapping[tuple[str, str], tuple[object, int]], times: Mapping[str, list[Stopwatch]], clock: str
) -> dict[str, float]:
    """The most operations per second, of any work and in any round, for each precision."""
    best = dict.fromkeys(PRECISIONS, 0.0)
    for (precision, kind), (_, flops) in work.items():
        seconds = min(getattr(watch, clock) for watch in times[f"{precision}-{kind}"])
        best[precision] = max(best[precision], flops / max(seconds, 1e-9))
    return best


def measure(edge_size: int, names: list[str] | None, rounds: int, device: torch.device) -> Line:
    """The line of one size."""
    encoder = vgg19().to(device)
    content, style = (image.to(device) for image in square_pair(edge_size))
    image = iterate(content, style)
    work: dict[str, Callable[[], object]] = {}
    found: dict[str, Line] = {}
    for name, variant in available(names, device).items():
        step = variant.build(encoder, content, style)
        reference = ours(encoder, content, style, objective=variant.objective)
        found[name] = {"objective": variant.objective, **errors(step, reference, image)}
        work[name] = partial(step, image)
    speeds = {
        (precision, kind): sample
        for precision, dtype in PRECISIONS.items()
        for kind, sample in arithmetic(device, dtype).items()
    }
    work |= {f"{precision}-{kind}": run for (precision, kind), (run, _) in speeds.items()}
    times = take_turns(work, rounds, device)
    flops = FLOPS_PER_PIXEL * edge_size**2
    peaks = {clock: peak(speeds, times, clock) for clock in CLOCKS}
    return {
        "edge_size": edge_size,
        "pixels": edge_size**2,
        "rounds": rounds,
        "flops": flops,
        "peak_flops_per_second": peaks["seconds"],
        "floors": {
            clock: {precision: flops / speed for precision, speed in peaks[clock].items()} for clock in CLOCKS
        },
        "variants": {name: found[name] | summary(times[name]) for name in found},
        "machine": machine(device),
    }


def ratio_table(line: Line, clock: str = "seconds") -> str:
    """The times of one size, as speeds relative to pystiche and to the floor in float32."""
    variants, floor = line["variants"], line["floors"][clock]["float32"]
    rows = []
    for name, variant in variants.items():
        seconds, (low, high) = variant[clock], variant[f"{clock}_quartiles"]
        speeds = [
            f"{variants[other][clock] / seconds:.2f}x" if other in variants else "" for other in REFERENCES
        ]
        times = [f"{seconds:.4f}", f"{low:.4f} ... {high:.4f}"]
        ratios = [*speeds, f"{seconds / floor:.2f}", f"{variant['gradient_median_error']:.1g}"]
        rows.append([name, variant["objective"], *times, *ratios])
    columns = [
        "variant",
        "objective",
        clock.replace("_", " "),
        "quartiles",
        *(f"speed to {name}" for name in REFERENCES),
    ]
    return table([*columns, "over the float32 floor", "gradient error"], rows)


def key(line: Line) -> tuple[object, ...]:
    """What a line must agree in with a measurement to stand for it."""
    return line["edge_size"], line["machine"]["device"], line["machine"]["threads"]


def main() -> None:
    """Measure the sizes that are missing, and print a table for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edge-sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--clock", choices=CLOCKS, default="seconds", help="the one of the table")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/step_time.jsonl"))
    arguments = parser.parse_args()
    device = machine(arguments.device)["device"]
    lines = {key(line): line for line in read(arguments.output)}
    for edge_size in arguments.edge_sizes:
        wanted = edge_size, device, torch.get_num_threads()
        if wanted not in lines:
            lines[wanted] = measure(edge_size, arguments.variants, arguments.rounds, arguments.device)
            append(arguments.output, lines[wanted])
        print(f"\n{edge_size} pixels\n\n{ratio_table(lines[wanted], arguments.clock)}", flush=True)


if __name__ == "__main__":
    main()
