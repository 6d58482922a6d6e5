"""Trains the network for any style that pystyle ships, `any-style`.

It takes the folder that `photographs.py` makes, and writes checkpoints, a contact sheet of held-out pairs
every 250 steps, and the network. A run that is started again goes on::

    python benchmarks/any_style.py pictures -o any-style

The same command runs on a GPU. First the encoder is taught the features of VGG-19 at relu3_1, which takes
some minutes; then the whole network is trained.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import torch
from pictures import PAIRS, read_pair
from shipped_networks import parser_of, phases, run
from torch import Tensor
from torch.utils.data import DataLoader

from pystyle.colors import match_colors
from pystyle.encoders import vgg19
from pystyle.evaluation import fastest_precision
from pystyle.images import resize
from pystyle.networks import AnyStyleNetwork
from pystyle.training import ImageFolder

_NAME = "any-style"
_LAYER = "relu3_1"
_RATE = 2e-3


def batches(pictures: Path, batch_size: int) -> Iterator[Tensor]:
    """Photographs, some of them in the colours of paintings as the network sees them, and paintings."""
    photographs, paintings = (
        ImageFolder(pictures / kind, crop_size=128, in_memory=True) for kind in ("photographs", "paintings")
    )
    for _ in count():
        loaders = (
            DataLoader(folder, batch_size, shuffle=True, drop_last=True)
            for folder in (photographs, paintings)
        )
        for photos, styles in zip(*loaders, strict=False):
            recolored = [match_colors(photos[i : i + 1], styles[i : i + 1]) for i in range(batch_size // 2)]
            yield torch.cat([*recolored, photos[len(recolored) :], styles])


def teach(network: AnyStyleNetwork, pictures: Path, *, num_steps: int, batch_size: int, device: str) -> None:
    """Teach the encoder of the network the features of VGG-19.

    Args:
        network: The network, on its device.
        pictures: The folder of pictures.
        num_steps: How many steps.
        batch_size: Photographs in a step, and as many paintings.
        device: Where the network is.
    """
    teacher = vgg19(weights="caffe_normalized", padding="replicate").to(device)
    precision = getattr(torch, fastest_precision(device))
    optimizer = torch.optim.Adam(network.encoder.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_steps)
    for step, images in zip(range(num_steps), batches(pictures, batch_size), strict=False):
        images = images.to(device)
        with torch.no_grad(), torch.autocast(torch.device(device).type, precision):
            wanted = teacher(images, [_LAYER])[_LAYER].float()
        error = (network.features(images) - wanted).square().mean() / wanted.square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}: an error of {error.item():.3f} of the features' square", flush=True)


def main() -> None:
    """Train."""
    parser = parser_of(__doc__.splitlines()[0], name=_NAME, num_steps=9_500, batch_size=4)
    parser.add_argument("--teaching-steps", type=int, default=1_500, help="of the encoder, before all others")
    parser.add_argument("--width", type=int, default=16)
    options = parser.parse_args()
    torch.manual_seed(0)
    network = AnyStyleNetwork(width=options.width).to(options.device, memory_format=torch.channels_last)
    taught = options.output / "taught.safetensors"
    if taught.exists():
        network = AnyStyleNetwork.load(taught)
    else:
        options.output.mkdir(parents=True, exist_ok=True)
        teach(
            network,
            options.pictures,
            num_steps=options.teaching_steps,
            batch_size=options.batch_size,
            device=options.device,
        )
        network.save(taught)
    pairs = [[resize(image, 256, edge="long") for image in read_pair(pair)] for pair in PAIRS]
    run(
        network,
        options,
        name=_NAME,
        styles=ImageFolder(options.pictures / "paintings", crop_size=256, in_memory=True),
        phases=phases(options.steps, options.batch_size, identity=0.02, large=0.08),
        pairs=[(content, style) for content, style in pairs],
    )


if __name__ == "__main__":
    main()
