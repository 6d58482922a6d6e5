"""Trains the network for any style that pystyle ships, `any-style`.

It takes the folder that `photographs.py` makes, and writes checkpoints, a contact sheet of held-out pairs
every 250 steps, and the network. A run that is started again goes on::

    python benchmarks/any_style.py pictures -o any-style

The same command runs on a GPU. `--start` goes on from a network that can paint already.
"""

import argparse
from functools import partial
from pathlib import Path

import torch
from pictures import PAIRS, read_pair

from pystyle import ContentLoss, Criterion, MeanStdLoss, MultiLayerGramLoss
from pystyle.checkpoints import Checkpoints
from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation, fastest_precision
from pystyle.images import resize
from pystyle.networks import AnyStyleNetwork
from pystyle.runner import CSVLogger
from pystyle.training import ImageFolder, Phase, Previews, TrainingStep, train

_STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
_IDENTITY, _LARGE = 0.04, 0.12
"""The shares of the steps as an auto-encoder, and at 256 pixels with half the batch; the rest is at 128
pixels."""


def criterion() -> Criterion:
    """What the network is trained for."""
    return Criterion(
        vgg19(),
        {
            "pixels": ContentLoss("image", weight=20.0),
            "content": ContentLoss("relu4_1", relative=True),
            "moments": MeanStdLoss(_STYLE_LAYERS, relative=True, weight=8.0),
            "gram": MultiLayerGramLoss(_STYLE_LAYERS, relative=True, weight=10.0),
        },
    )


def phases(num_steps: int, batch_size: int, *, warm: bool) -> list[Phase]:
    """The phases of so many steps; a network that can paint already skips the first."""
    first = 0 if warm else round(_IDENTITY * num_steps)
    last = round(_LARGE * num_steps)
    painting = {"pixels": 0.0}
    found = [
        Phase(num_steps - first - last, crop_size=128, weights=painting),
        Phase(last, crop_size=256, batch_size=batch_size // 2, weights=painting),
    ]
    if first:
        found.insert(0, Phase(first, crop_size=128, identity=True, weights={"moments": 0.0, "gram": 0.0}))
    return found


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, help="the folder that photographs.py made")
    parser.add_argument("-o", "--output", type=Path, default=Path("any-style"))
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--start", type=Path, help="a network to start from, in place of the first phase")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    folders = {name: options.pictures / name for name in ("photographs", "paintings")}
    contents, styles = (ImageFolder(folder, crop_size=256, in_memory=True) for folder in folders.values())

    def keep_so_far(step: TrainingStep) -> None:
        """Save the network now and then, to look at it while it learns."""
        if step.index % 250 == 0:
            step.network.save(options.output / "so-far.safetensors", half=True)

    pairs = [[resize(image, 256, edge="long") for image in read_pair(pair)] for pair in PAIRS]
    network = AnyStyleNetwork(width=options.width)
    if options.start is not None:
        network = AnyStyleNetwork.load(options.start)
    result = train(
        network.to(options.device),
        criterion().to(options.device),
        contents=contents,
        styles=styles,
        phases=phases(options.steps, options.batch_size, warm=options.start is not None),
        batch_size=options.batch_size,
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        evaluation=EagerEvaluation(precision=fastest_precision(options.device)),
        callbacks=[
            CSVLogger(options.output / "log.csv"),
            keep_so_far,
            Previews(options.output / "preview-{step}.jpg", pairs, every=250),
        ],
        checkpoint=Checkpoints(options.output / "checkpoints", seconds=300),
        resume=True,
    )
    print(result)
    result.network.save(options.output / "any-style.safetensors", half=True)


if __name__ == "__main__":
    main()
