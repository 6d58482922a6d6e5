"""Trains the networks of the feed-forward papers, as far as two cores go.

    python benchmarks/paper_networks.py pictures huang_2017 -o huang_2017

It takes the folder that `photographs.py` makes, and writes what `any_style.py` does. Networks and losses are
those of `pystyle.papers`; crops of 128 pixels, few steps and a rate that falls from a larger one are ours. A
run that is started again goes on, and the same command runs on a GPU.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from any_style import paintings
from network_trainings import parser_of, run
from pictures import PAIRS, read_pair

from pystyle import ContentLoss, Criterion
from pystyle.images import resize
from pystyle.networks import Stylizer
from pystyle.papers import huang_2017
from pystyle.training import Phase

_CROP = 128


class Training(NamedTuple):
    """What is trained, and how.

    Attributes:
        network: Makes the network.
        criterion: Makes its losses.
        phases: The phases for so many steps.
        rate: The learning rate at first.
    """

    network: Callable[[], Stylizer]
    criterion: Callable[[], Criterion]
    phases: Callable[[int], Sequence[Phase]]
    rate: float = 1e-3


def _with_pixels(criterion: Criterion, weight: float) -> Criterion:
    """The losses, and the difference to the pixels of the content, for the first phase alone."""
    return Criterion(
        criterion.encoder, {**criterion.named_losses, "pixels": ContentLoss("image", weight=weight)}
    )


def _reconstructing_first(num_steps: int) -> list[Phase]:
    """A tenth of the steps as an auto-encoder."""
    first = num_steps // 10
    return [
        Phase(first, crop_size=_CROP, identity=True),
        Phase(num_steps - first, crop_size=_CROP, weights={"pixels": 0.0}),
    ]


TRAININGS = {
    "huang_2017": Training(
        partial(huang_2017.network, layer="relu3_1"),
        lambda: _with_pixels(huang_2017.criterion(layer="relu3_1"), 100.0),
        _reconstructing_first,
    ),
}


def main() -> None:
    """Train."""
    parser = parser_of(__doc__.splitlines()[0], name="paper_network", num_steps=4_000, batch_size=4)
    parser.add_argument("paper", choices=TRAININGS)
    options = parser.parse_args()
    torch.manual_seed(0)
    training = TRAININGS[options.paper]
    pairs = [[resize(image, 256, edge="long") for image in read_pair(pair)] for pair in PAIRS]
    run(
        training.network(),
        options,
        name=options.paper,
        styles=paintings(options.pictures / "paintings"),
        phases=training.phases(options.steps),
        pairs=[(content, style) for content, style in pairs],
        rate=training.rate,
        criterion=training.criterion(),
    )


if __name__ == "__main__":
    main()
