"""Synthesise textures by the recipes of `pystyle.papers` and measure how near they come.

    python benchmarks/textures.py --textures cypresses irises --methods gram --edge-size 256

The textures are the middles of paintings, brought to the size of the result. A line of JSON has, for the
noise of Gatys et al. and for the result: their Gram loss of 2015, the sliced Wasserstein distance with
directions that no recipe draws, and the mean distance of the quantiles of each colour. What is there already
is not run again.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from pictures import PAINTINGS, painting
from records import Line, append, machine, read, table
from torch import Tensor

from pystyle import Criterion, Encoder, HistogramLoss, Result, SlicedWassersteinLoss
from pystyle.encoders import vgg19
from pystyle.images import read_image, resize, write_image
from pystyle.papers import gatys_2015, heitz_2021, risser_2017

Method = Callable[..., Result]

METHODS: dict[str, Method] = {
    "gram": partial(gatys_2015.texture_synthesis, variant="paper"),
    "gram-matched": gatys_2015.texture_synthesis,
    "sliced": heitz_2021.texture_synthesis,
    # Downloads the network of torchvision.
    "histogram": lambda texture, **options: risser_2017.texture_synthesis(texture, **options)[-1],
}
MEASURES = ("gram", "sliced", "colour")
HELD_OUT_SEED = 12345


def middle(image: Tensor, edge_size: int) -> Tensor:
    """The middle square of a picture at the size of the texture."""
    side = min(image.shape[2:])
    top, left = ((length - side) // 2 for length in image.shape[2:])
    return resize(image[:, :, top : top + side, left : left + side], edge_size)


def measures(encoder: Encoder, texture: Tensor, image: Tensor) -> dict[str, float]:
    """How far an image is from a texture, by three measures."""
    losses = {
        "gram": gatys_2015.criterion(encoder, variant="paper").losses["texture"],
        "sliced": SlicedWassersteinLoss(gatys_2015.LAYERS, num_directions=256, seed=HELD_OUT_SEED),
        "colour": HistogramLoss("image"),
    }
    with torch.no_grad():
        terms = Criterion(encoder, losses).bind({"style": texture})(image)
    return {name: sum(float(v) for key, v in terms.items() if key.startswith(f"{name}.")) for name in losses}


def run(method: str, name: str, texture: Tensor, encoder: Encoder, *, num_steps: int | None) -> Line:
    """One texture by one method: the measures of the noise and of the result, and the picture."""
    steps = {} if num_steps is None else {"num_steps": num_steps}
    noise = gatys_2015.normal_noise((texture.shape[2], texture.shape[3]), like=texture, seed=0)
    result = METHODS[method](texture, **steps)
    before, after = (measures(encoder, texture, image) for image in (noise, result.image))
    return {
        "method": method,
        "texture": name,
        "edge_size": texture.shape[2],
        **{f"noise_{key}": value for key, value in before.items()},
        **after,
        "steps": result.steps,
        "own_loss_fell": result.history["total"][0] / max(result.history["total"][-1], 1e-300),
        "seconds": round(result.seconds, 1),
        "stop_reason": result.stop_reason,
        "picture": result.image,
        **machine(texture.device),
    }


def report(lines: list[Line]) -> str:
    """How many times smaller each measure is than that of the noise, as a table of Markdown."""
    names = ("texture", "method", "edge_size", "steps")
    return table(
        (*names, "own loss fell", *MEASURES, "seconds"),
        (
            [
                *(line[name] for name in names),
                f"{line['own_loss_fell']:.0f}",
                *(f"{line[f'noise_{name}'] / max(line[name], 1e-300):.3g}" for name in MEASURES),
                line["seconds"],
            ]
            for line in sorted(lines, key=lambda line: (line["texture"], line["method"]))
        ),
    )


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--textures", nargs="+", choices=PAINTINGS, default=["cypresses"])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["gram"])
    parser.add_argument("--edge-size", type=int, default=256)
    parser.add_argument("--steps", type=int, help="of each run; those of the recipe if not given")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    log = arguments.output / "textures.jsonl"
    done = {(line["method"], line["texture"], line["edge_size"]) for line in read(log)}
    encoder = gatys_2015.average_pooling(vgg19("caffe_normalized"))
    for name in arguments.textures:
        texture = middle(read_image(painting(name)), arguments.edge_size)
        write_image(texture, arguments.output / f"texture-{name}-{arguments.edge_size}.png")
        for method in arguments.methods:
            if (method, name, arguments.edge_size) in done:
                continue
            line = run(method, name, texture, encoder, num_steps=arguments.steps)
            picture = arguments.output / f"texture-{name}-{method}-{arguments.edge_size}.png"
            write_image(line.pop("picture"), picture)
            append(log, line)
    print(report(read(log)))


if __name__ == "__main__":
    main()
