"""Do the measures agree with the eye? Rank correlations with the rankings of `methods_eye.json`.

    python benchmarks/methods_eye.py --results benchmarks/results

The file has for each pair the letters of the sheet that `methods_page.py --blind` writes, from the best
picture to the worst, as they were ranked before any figure was looked at. For each measure it prints the mean
of Spearman's correlations over the pairs, the least of them, and how often it has the better of two pictures
first. More is better: each measure is turned so that its better end is up. Pairs whose pictures are not there
are left out.
"""

import argparse
import json
from itertools import combinations
from pathlib import Path
from statistics import mean
from string import ascii_uppercase

import torch
from methods import FOLDER, PAIRS, images_of, path_of
from methods_page import product, shuffled
from records import table

from pystyle.encoders import vgg19
from pystyle.images import read_image, resize
from pystyle.metrics import GramDistance, Judge, SingleImageDistance, StructureDistance

BETTER = {
    "lpips": lambda value: -value,
    "structure": lambda value: -value,
    "ssim": lambda value: value,
    "style": lambda value: -value,
    "gram": lambda value: -value,
    "single": lambda value: -value,
    "color": lambda value: -value,
    "saturation": lambda value: -abs(value - 1),
    "noise": lambda value: -max(value, 1.0),
    "(1 + lpips) (1 + style)": lambda value: -value,
}
"""Each measure with its better end up."""


def figures(pair: tuple[str, str], name: str, folder: Path, judge: Judge) -> dict[str, float]:
    """All measures of one picture."""
    content, style = images_of(pair)
    picture = read_image(path_of(folder, pair, name))
    content, style = resize(content, tuple(picture.shape[2:])), resize(style, min(picture.shape[2:]))
    found = {key: float(value) for key, value in judge(picture, content, style).figures.items()}
    network = judge.style.encoder
    found["structure"] = float(StructureDistance(vgg19())(picture, content))
    found["gram"] = float(GramDistance(network)(picture, style))
    found["single"] = float(SingleImageDistance(network)(picture, style))
    return found | {"(1 + lpips) (1 + style)": product(found)}


def correlation(first: list[float], second: list[float]) -> float:
    """Spearman's: that of the ranks, which equal numbers share; 0 if all are equal, which tells nothing."""
    if len(set(first)) == 1 or len(set(second)) == 1:
        return 0.0
    ranks = [
        [sum((other < value) + (other <= value) for other in values) / 2 for value in values]
        for values in (first, second)
    ]
    return float(torch.corrcoef(torch.tensor(ranks, dtype=torch.float64))[0, 1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    rankings = json.loads((options.results / "methods_eye.json").read_text())
    judge = Judge.published()
    correlations: dict[str, list[float]] = {key: [] for key in BETTER}
    agreed: dict[str, list[float]] = {key: [] for key in BETTER}
    folder = options.results / FOLDER
    for pair in PAIRS:
        ranking = rankings.get("-".join(pair))
        if ranking is None or not all(path_of(folder, pair, name).exists() for name in shuffled(pair)):
            continue
        names = [shuffled(pair)[ascii_uppercase.index(letter)] for letter in ranking]
        found = [figures(pair, name, folder, judge) for name in names]
        for key, turned in BETTER.items():
            values = [turned(line[key]) for line in found]
            correlations[key].append(correlation(values, [-float(place) for place in range(len(names))]))
            agreed[key] += [((a > b) + (a >= b)) / 2 for a, b in combinations(values, 2)]
    rows = [
        [key, f"{mean(values):.2f}", f"{min(values):.2f}", f"{mean(agreed[key]):.0%}"]
        for key, values in correlations.items()
    ]
    print(table(("measure", "mean correlation", "least", "pairs in the order of the eye"), rows))


if __name__ == "__main__":
    main()
