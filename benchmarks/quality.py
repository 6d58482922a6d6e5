"""Judge stylised pictures by a network and statistics that no objective uses, and print the table.

    python benchmarks/quality.py --edge-size 256 --pairs 4 --recipes default gatys crowson \
        --output benchmarks/results

What the judge needs is said in `judge.py`. Each result is written as soon as it is there (a line of JSON
and the picture), and what is there already is not run again: remove its line to repeat it.

Seconds are processor seconds divided by the number of threads, so that other work on the machine
does not count.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import torch
from judge import figures_of
from pictures import PAIRS, read_pair
from recipes import RECIPES
from torch import Tensor

from pystyle import __version__
from pystyle.images import contact_sheet, read_image, resize, write_image
from pystyle.metrics import Judge

COLUMNS = ("lpips", "style", "noise", "color", "saturation", "seconds")


def run(
    recipe: str, pair: tuple[str, str], edge_size: int, judge: Judge, pictures: Path
) -> dict[str, object]:
    """The figures of one recipe on one pair; its picture is written."""
    content, style = read_pair(pair)
    start = time.process_time()
    result = RECIPES[recipe](content, style, edge_size)
    seconds = (time.process_time() - start) / torch.get_num_threads()
    write_image(result.image, pictures / f"{recipe}-{pair[0]}-{pair[1]}-{edge_size}.png")
    references = resize(content, edge_size), resize(style, edge_size)
    return {
        "recipe": recipe,
        "pair": "-".join(pair),
        "edge_size": edge_size,
        **figures_of(judge, result.image, *references),
        "seconds": round(seconds, 1),
        "loss": result.history["total"][-1],
        "stop_reason": result.stop_reason,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "pystyle": __version__,
        "machine": platform.machine(),
    }


def table(results: list[dict[str, object]]) -> str:
    """The results as a table of Markdown, pair by pair."""
    lines = ["| pair | recipe | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 2) + "|"]
    for result in sorted(results, key=lambda result: str(result["pair"])):
        figures = " | ".join(f"{result[name]:.3f}" for name in COLUMNS[:-1])
        lines.append(f"| {result['pair']} | {result['recipe']} | {figures} | {result['seconds']:.0f} |")
    return "\n".join(lines)


def sheet(recipes: list[str], pairs: list[tuple[str, str]], edge_size: int, pictures: Path) -> Tensor:
    """Content, style and the picture of each recipe, one row for each pair."""
    images, titles = [], []
    for pair in pairs:
        images += read_pair(pair)
        titles += list(pair)
        for recipe in recipes:
            images.append(read_image(pictures / f"{recipe}-{pair[0]}-{pair[1]}-{edge_size}.png"))
            titles.append(recipe)
    return contact_sheet(images, columns=2 + len(recipes), height=edge_size, titles=titles)


def main() -> None:
    """Run what is missing, print the table, write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--pairs", type=int, default=4, help="how many of the pairs in pictures.py")
    parser.add_argument("--edge-size", type=int, default=256)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    pictures = arguments.output / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    log = arguments.output / "quality.jsonl"
    judge = Judge.published()
    pairs = list(PAIRS[: arguments.pairs])
    results = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = {(result["recipe"], result["pair"], result["edge_size"]): result for result in results}
    for recipe in arguments.recipes:
        for pair in pairs:
            key = recipe, "-".join(pair), arguments.edge_size
            if key not in done:
                done[key] = run(recipe, pair, arguments.edge_size, judge, pictures)
                with log.open("a") as stream:
                    stream.write(json.dumps(done[key]) + "\n")
    names = ["-".join(pair) for pair in pairs]
    keys = [(recipe, name, arguments.edge_size) for recipe in arguments.recipes for name in names]
    print(table([done[key] for key in keys]))
    write_image(
        sheet(arguments.recipes, pairs, arguments.edge_size, pictures), arguments.output / "quality.png"
    )


if __name__ == "__main__":
    main()
