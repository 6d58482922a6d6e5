"""How good is a picture of `stylize` after so many seconds?

    python benchmarks/seconds.py --edge-size 256 --output benchmarks/results

Levels, steps and strengths of one objective, on the pairs of `pictures.py`, by turns. Pictures are judged as
they are saved, by measures that no objective uses (`judge.py`), and each figure is also given relative to the
150 steps in steps of the root of two that `stylize` took at first. What is in `seconds.jsonl` already is not
run again.
"""

import argparse
import time
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import torch
from judge import figures_of
from pictures import PAIRS, read_pair
from records import append, machine, read, table

from pystyle import stylize
from pystyle.images import resize, write_image
from pystyle.metrics import Judge

FIRST = "150 steps, √2"
"""What the others are compared with."""


def recipes(edge_size: int) -> dict[str, dict[str, Any]]:
    """The arguments of `stylize` by name."""
    powers = [round(edge_size / 2 ** (power / 2)) for power in range(8)]
    roots = tuple(size for size in reversed(powers) if size >= 127)
    return {
        FIRST: {"edge_size": roots, "num_steps": 150, "content_layer": "relu4_2"},
        "draft": {"edge_size": edge_size, "num_steps": "draft"},
        "standard": {"edge_size": edge_size},
        "best": {"edge_size": edge_size, "num_steps": "best"},
        "all layers": {"edge_size": edge_size, "content_layer": "relu4_2"},
        "20 steps, one size": {"edge_size": (edge_size,), "num_steps": 20},
    }


def measured(name: str, options: dict[str, Any], pair: tuple[str, str], judge: Judge, folder: Path) -> dict:
    """The figures of one recipe on one pair."""
    content, style = read_pair(pair)
    start, busy = time.perf_counter(), time.process_time()
    result = stylize(content, style, **options)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    edge_size = min(result.image.shape[2:])
    write_image(result.image, folder / f"{'-'.join(pair)}-{edge_size}-{name.replace(' ', '')}.png")
    references = resize(content, edge_size), resize(style, edge_size)
    return {
        "recipe": name,
        "pair": "-".join(pair),
        "edge_size": edge_size,
        "options": options,
        **figures_of(judge, result.image, *references),
        "seconds": round(seconds, 2),
        "processor_seconds": round(busy / torch.get_num_threads(), 2),
        "loss": result.history["total"][-1],
    }


def summary(lines: list[dict[str, Any]]) -> str:
    """Figures relative to the first recipe: the mean over the pairs, and the worst of them."""
    first = {line["pair"]: line for line in lines if line["recipe"] == FIRST}
    rows = []
    for name in dict.fromkeys(line["recipe"] for line in lines):
        found = [line for line in lines if line["recipe"] == name and line["pair"] in first]
        cells = []
        for figure in ("lpips", "style", "noise", "color", "processor_seconds"):
            ratios = [line[figure] / first[line["pair"]][figure] for line in found]
            cells.append(f"{geometric_mean(ratios):.3f} ({max(ratios):.2f})")
        rows.append([name, len(found), *cells])
    return table(("recipe", "pairs", "lpips", "style", "noise", "color", "seconds"), rows)


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edge-size", type=int, default=256, help="the short edge of the picture")
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--recipes", nargs="+", help="their names; all if not given")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    log, folder = options.output / "seconds.jsonl", options.output / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    known = recipes(options.edge_size)
    judge = Judge.published()
    for pair in PAIRS[: options.pairs]:
        for name in options.recipes or known:
            done = {(line["recipe"], line["pair"], line["edge_size"]) for line in read(log)}
            if (name, "-".join(pair), options.edge_size) not in done:
                line = measured(name, known[name], pair, judge, folder)
                append(log, {**line, **machine(torch.device("cpu"))})
                print(line["pair"], name, line["lpips"], line["style"], line["processor_seconds"], flush=True)
    print(summary([line for line in read(log) if line["edge_size"] == options.edge_size]))


if __name__ == "__main__":
    main()
