"""Trains a network for each painting that networks are judged on, as Johnson et al. do.

It takes the folder that `photographs.py` makes, of which it sees the photographs alone::

    python benchmarks/single_styles.py pictures -o single-styles
    python benchmarks/networks.py --single-styles single-styles/*.safetensors
"""

import argparse
from pathlib import Path

import torch
from network_trainings import criterion_of, parser_of, phases, run
from pictures import HELD_OUT_PAINTINGS, HELD_OUT_PAIRS, read_held_out

from pystyle.images import resize
from pystyle.networks import TransformNetwork

_SHORT_SIDE = 192
"""Of the paintings, in pixels: about that of the pictures they are judged on."""


def main() -> None:
    """Train them one after the other."""
    parser = parser_of(__doc__.splitlines()[0], name="single-styles", num_steps=2_000, batch_size=4)
    parser.add_argument("--width", type=int, default=16)
    options = parser.parse_args()
    for name in HELD_OUT_PAINTINGS:
        pairs = [read_held_out(pair) for pair in HELD_OUT_PAIRS if pair[1] == name]
        torch.manual_seed(0)
        own = argparse.Namespace(**{**vars(options), "output": options.output / name})
        run(
            TransformNetwork(width=options.width),
            own,
            name=name,
            styles=[resize(pairs[0][1], _SHORT_SIDE, edge="short")[0]],
            phases=phases(options.steps, options.batch_size, large=0.12),
            pairs=[(resize(content, 256, edge="long"), "style") for content, _ in pairs],
            rate=1e-3,
            criterion=criterion_of(),
        )
        Path(own.output / f"{name}.safetensors").rename(options.output / f"{name}.safetensors")


if __name__ == "__main__":
    main()
