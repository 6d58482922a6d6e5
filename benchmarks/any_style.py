"""Trains the network for any style that is to come with pystyle, `any-style`.

It takes the folder that `photographs.py` makes, and writes checkpoints, a contact sheet of held-out pairs
every 250 steps, and the network. A run that is started again goes on::

    python benchmarks/any_style.py pictures -o any-style

The same command runs on a GPU. `--start` goes on from a network that can paint already.
"""

import statistics
from pathlib import Path

import torch
from network_trainings import criterion_of, parser_of, phases, run
from pictures import PAIRS, read_pair
from torch.nn.functional import avg_pool2d
from torch.utils.data import Subset
from torchvision.transforms import v2

from pystyle.images import read_image, resize
from pystyle.networks import AnyStyleNetwork
from pystyle.training import ImageFolder

_NAME = "any-style"
_CROP = 192
_MOST = 4
"""How often a painting comes, at most, before all have come once."""


def paintings(folder: Path) -> Subset:
    """Crops of the paintings; those with texture all over come more often, because most have little.

    Colours and sharpness vary: there are few paintings.
    """
    varied = v2.Compose(
        [
            v2.ColorJitter(brightness=0.15, contrast=0.25, saturation=0.4, hue=0.1),
            v2.RandomAdjustSharpness(2.5, p=0.4),
        ]
    )
    images = ImageFolder(folder, crop_size=_CROP, in_memory=True, augment=varied)
    textures = [texture(path) for path in images.paths]
    usual = statistics.median(textures)
    times = [min(max(round(found / usual), 1), _MOST) for found in textures]
    return Subset(images, [index for index, count in enumerate(times) for _ in range(count)])


def texture(path: Path) -> float:
    """How much a pixel differs from those around it, in that quarter of the image where it is least."""
    grey = resize(read_image(path), _CROP, edge="short").mean(1, keepdim=True)
    fine = (grey - avg_pool2d(grey, 3, stride=1, padding=1, count_include_pad=False)).abs()
    return float(avg_pool2d(fine, 16).quantile(0.25))


def main() -> None:
    """Train."""
    parser = parser_of(__doc__.splitlines()[0], name=_NAME, num_steps=9_800, batch_size=2)
    parser.add_argument("--start", type=Path, help="a network to go on from")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--features", choices=("vgg19", "light"), default="vgg19")
    parser.add_argument("--rate", type=float, default=7e-4, help="the learning rate at first")
    parser.add_argument("--content", type=float, default=1.0, help="how much the losses of the content weigh")
    options = parser.parse_args()
    torch.manual_seed(0)
    network = AnyStyleNetwork(width=options.width, features=options.features)
    if options.start is not None:
        network = AnyStyleNetwork.load(options.start)
    pairs = [[resize(image, 256, edge="long") for image in read_pair(pair)] for pair in PAIRS]
    run(
        network,
        options,
        name=_NAME,
        styles=paintings(options.pictures / "paintings"),
        phases=phases(options.steps, options.batch_size, large=0.08),
        pairs=[(content, style) for content, style in pairs],
        rate=options.rate,
        criterion=criterion_of(options.content),
    )


if __name__ == "__main__":
    main()
