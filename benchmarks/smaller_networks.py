"""How much smaller and faster networks become, and what it costs: pruned, in code books, in int8.

    python benchmarks/smaller_networks.py --network masters --edge-size 256

What the judge needs is said in `judge.py`. Each variant paints the held-out pairs, of which no network has
seen anything, and is judged beside the original; `masters` paints in the style that is nearest to the
painting with the original. A line of `results/smaller_networks.jsonl` is one picture. With `--seconds` the
networks paint by turns instead, and a line has seconds: those that a clock shows, and those of the processor
divided by the threads, which other programs on the same cores disturb less. With `--int8` both are done with
files of ONNX, for the pairs of one style; with `--openvino`, which needs that package, OpenVINO paints with
the same files.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import mean, median

import torch
from judge import figures_of
from pictures import HELD_OUT_PAIRS, photograph, read_held_out
from records import Line, append, machine, table
from torch import Tensor

from pystyle.images import contact_sheet, read_image, resize, write_image
from pystyle.metrics import Judge
from pystyle.networks import Stylizer, pretrained, pruned
from pystyle.onnx import OnnxPainter

NEAREST = ("englishman", "shepherd", "englishman", "plum") * 2
"""Of the styles of `masters`, for each pair."""
CALIBRATION = ("rocket", "chelsea")
"""Photographs of other pairs than those that are painted in int8, of one style."""
FIGURES = ("lpips", "style", "noise")
ORIGINAL = "float32"

Paint = Callable[[Tensor], Tensor]


def variant(network: Stylizer, name: str, folder: Path) -> tuple[Stylizer, int]:
    """A smaller network by what is done to it, such as "prune 0.2, 6 bits", and the bytes of its file.

    A part may also be the file of a network that was trained again: "again.safetensors, 6 bits".
    """
    bits, small = None, network
    for part in [] if name == ORIGINAL else name.split(", "):
        if part.startswith("prune"):
            small = pruned(network, float(part.split()[1]))
        elif part.endswith(".safetensors"):
            small = Stylizer.load(part)
        else:
            bits = int(part.split()[0])
    path = folder / "network.safetensors"
    small.save(path, bits=bits)
    return Stylizer.load(path), path.stat().st_size


def style_of(network: Stylizer, number: int, edge_size: int) -> str | Tensor:
    return NEAREST[number] if network.styles else pair_images(number, edge_size)[1]


def pair_images(number: int, edge_size: int) -> tuple[Tensor, Tensor]:
    content, style = (
        resize(image, edge_size, edge="long").clamp(0, 1) for image in read_held_out(HELD_OUT_PAIRS[number])
    )
    return content, style


def quality(options: argparse.Namespace, folder: Path) -> Iterator[Line]:
    """The figures of all variants, pair by pair."""
    network, judge = pretrained(options.network), Judge.published(options.judge)
    made = {name: variant(network, name, folder) for name in (ORIGINAL, *options.variants)}
    for number in options.pairs:
        content, style = pair_images(number, options.edge_size)
        row = [content, style]
        for name, (small, size) in made.items():
            picture = small.bind(style_of(network, number, options.edge_size))(content)
            row.append(picture)
            yield line_of(options, name, number, size, figures_of(judge, picture, content, style))
        write_image(
            contact_sheet(row, height=256, titles=["content", "style", *made]),
            folder / f"{options.network}-{options.edge_size}-{number}.png",
        )


def int8(options: argparse.Namespace, folder: Path) -> Iterator[Line]:
    """The figures and the seconds of ONNX Runtime, in float and in int8."""
    network, judge = pretrained(options.network), Judge.published(options.judge)
    photographs = [
        resize(read_image(photograph(name)), options.edge_size, edge="long").clamp(0, 1)
        for name in CALIBRATION
    ]
    style = style_of(network, options.pairs[0], options.edge_size)
    painters = {}
    for name, images in (("ONNX, float32", None), ("ONNX, int8", photographs)):
        path = folder / f"{options.network}-{'float' if images is None else 'int8'}.onnx"
        if not path.exists():
            network.export(path, style=style, int8=images)
        painters[name] = (OnnxPainter(path, threads=options.threads), path.stat().st_size)
    for number in options.pairs:
        content, painting = pair_images(number, options.edge_size)
        for name, (paint, size) in painters.items():
            picture = torch.from_numpy(paint(content.numpy()))
            figures = figures_of(judge, picture, content, painting)
            yield line_of(options, name, number, size, figures)
            write_image(picture, folder / f"{options.network}-{name[6:]}-{number}.png")
    paints: dict[str, Paint] = {
        name: lambda content, paint=paint: paint(content.numpy()) for name, (paint, _) in painters.items()
    }
    if options.openvino:
        for name in list(paints):
            path = folder / f"{options.network}-{'int8' if name.endswith('int8') else 'float'}.onnx"
            paints[f"OpenVINO, {name[6:]}"] = openvino_paint(path, options.threads)
    yield from seconds(options, paints)


def openvino_paint(path: Path, threads: int) -> Paint:
    import openvino

    compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_NUM_THREADS": threads})
    return lambda content: torch.from_numpy(compiled({"content": content.numpy()})["picture"])


def seconds(options: argparse.Namespace, paints: dict[str, Paint]) -> list[Line]:
    """The seconds of all, by turns."""
    content = resize(read_image(photograph("coffee")), (options.edge_size,) * 2).clamp(0, 1)
    passed: dict[str, list[tuple[float, float]]] = {name: [] for name in paints}
    for _ in range(options.rounds):
        for name, paint in paints.items():
            start, worked = time.perf_counter(), time.process_time()
            paint(content)
            ended = time.process_time() - worked
            passed[name].append((time.perf_counter() - start, ended / options.threads))
    return [
        {
            "network": options.network, "variant": name, "edge_size": options.edge_size,
            "threads": options.threads,
            "seconds": round(median(clock for clock, _ in found), 4),
            "least_seconds": round(min(clock for clock, _ in found), 4),
            "processor_seconds": round(min(worked for _, worked in found), 4),
            "median_processor_seconds": round(median(worked for _, worked in found), 4),
        }
        for name, found in passed.items()
    ]  # fmt: skip


def line_of(
    options: argparse.Namespace, name: str, number: int, size: int, figures: dict[str, float]
) -> Line:
    return {
        "network": options.network, "variant": name, "pair": "-".join(HELD_OUT_PAIRS[number]),
        "edge_size": options.edge_size, "judge": options.judge, "bytes": size,
        **{figure: figures[figure] for figure in FIGURES},
    }  # fmt: skip


def summary(lines: list[Line]) -> str:
    """A line for each variant: bytes, means, and by how many percent these differ from the first."""
    by_variant: dict[str, list[Line]] = {}
    for line in lines:
        if "lpips" in line:
            by_variant.setdefault(line["variant"], []).append(line)
    rows, first = [], next(iter(by_variant.values()), [])
    for name, found in by_variant.items():
        cells = []
        for figure in FIGURES:
            own, other = (mean(line[figure] for line in which) for which in (found, first))
            cells.append(f"{own:.3f} ({own / other - 1:+.1%})")
        rows.append([name, found[0]["bytes"], *cells])
    return table(["variant", "bytes", *FIGURES], rows)


def measured(options: argparse.Namespace, folder: Path) -> Iterable[Line]:
    if options.int8:
        return int8(options, folder)
    if not options.seconds:
        return quality(options, folder)
    network = pretrained(options.network)
    made = {name: variant(network, name, folder)[0] for name in (ORIGINAL, *options.variants)}
    style = style_of(network, 0, options.edge_size)
    return seconds(options, {name: small.bind(style) for name, small in made.items()})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default="masters")
    parser.add_argument("--edge-size", type=int, default=256, help="of the longer edge")
    parser.add_argument("--variants", nargs="*", default=["6 bits", "4 bits"])
    parser.add_argument("--pairs", type=int, nargs="+", default=list(range(len(HELD_OUT_PAIRS))))
    parser.add_argument("--seconds", action="store_true", help="measure these instead")
    parser.add_argument("--int8", action="store_true", help="measure files of ONNX instead")
    parser.add_argument("--openvino", action="store_true", help="with --int8, have OpenVINO paint, too")
    parser.add_argument("--judge", choices=["vgg16", "alexnet"], default="vgg16")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where files and pictures are kept")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/smaller_networks.jsonl"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for line in measured(options, folder):
            append(options.output, {**line, "machine": machine(torch.device("cpu"))})
            print(line, flush=True)
            lines.append(line)
    print(summary(lines))


if __name__ == "__main__":
    main()
