"""Trains the network for any style that is to come with pystyle, `any-style`.

It takes the folder that `photographs.py` makes, and writes checkpoints, a contact sheet of held-out pairs
every 250 steps, and the network. A run that is started again goes on::

    python benchmarks/any_style.py pictures -o any-style

The same command runs on a GPU. `--start` goes on from a network that can paint already.
"""

from pathlib import Path

import torch
from network_trainings import parser_of, phases, run
from pictures import PAIRS, read_pair

from pystyle.images import resize
from pystyle.networks import AnyStyleNetwork
from pystyle.training import ImageFolder

_NAME = "any-style"


def main() -> None:
    """Train."""
    parser = parser_of(__doc__.splitlines()[0], name=_NAME, num_steps=7_850, batch_size=4)
    parser.add_argument("--start", type=Path, help="a network to start from, in place of the first phase")
    parser.add_argument("--width", type=int, default=32)
    options = parser.parse_args()
    torch.manual_seed(0)
    network = AnyStyleNetwork(width=options.width)
    if options.start is not None:
        network = AnyStyleNetwork.load(options.start)
    pairs = [[resize(image, 256, edge="long") for image in read_pair(pair)] for pair in PAIRS]
    run(
        network,
        options,
        name=_NAME,
        styles=ImageFolder(options.pictures / "paintings", crop_size=192, in_memory=True),
        phases=phases(
            options.steps, options.batch_size, identity=0.02 if options.start is None else 0.0, large=0.08
        ),
        pairs=[(content, style) for content, style in pairs],
    )


if __name__ == "__main__":
    main()
