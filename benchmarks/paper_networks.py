"""Trains the networks of the feed-forward papers, as far as two cores go.

    python benchmarks/paper_networks.py pictures huang_2017 -o huang_2017

It takes the folder that `photographs.py` makes, and writes what `any_style.py` does. Networks and losses are
those of `pystyle.papers`; crops of 128 pixels, few steps and a rate that falls from a larger one are ours. A
run that is started again goes on, and the same command runs on a GPU.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from any_style import paintings
from network_trainings import parser_of, run
from pictures import PAIRS, read_pair

from pystyle import ContentLoss, Criterion
from pystyle.encoders import vgg19
from pystyle.images import resize
from pystyle.networks import Stylizer
from pystyle.papers import huang_2017, park_lee_2019
from pystyle.training import Phase

_CROP, _LAYER = 128, "relu3_1"


class Training(NamedTuple):
    """What is trained for what, and in which phases."""

    network: Stylizer
    criterion: Criterion
    phases: Sequence[Phase]


def _huang_2017(num_steps: int) -> Training:
    """From relu3_1; a tenth of the steps as an auto-encoder, in which the pixels count as well."""
    criterion = huang_2017.criterion(layer=_LAYER)
    losses = {**criterion.named_losses, "pixels": ContentLoss("image", weight=100.0)}
    first = num_steps // 10
    phases = [
        Phase(first, crop_size=_CROP, identity=True),
        Phase(num_steps - first, crop_size=_CROP, weights={"pixels": 0.0}),
    ]
    return Training(huang_2017.network(layer=_LAYER), Criterion(criterion.encoder, losses), phases)


def _park_lee_2019(num_steps: int) -> Training:
    """At relu3_1 and relu3_4; pictures in another style and in their own take turns."""
    layers, style_layers = (_LAYER, "relu3_4"), huang_2017.STYLE_LAYERS
    encoder = vgg19("caffe_normalized", padding="reflect", ceil_mode=True)
    criterion, phases = park_lee_2019.alternating(
        park_lee_2019.criterion(encoder, content_layers=layers, style_layers=style_layers),
        park_lee_2019.identity_criterion(encoder, layers=style_layers),
        num_steps=num_steps // 2,
        # Attention compares all positions with all.
        crop_size=96,
    )
    return Training(park_lee_2019.network(layers=layers), criterion, phases)


TRAININGS: dict[str, Callable[[int], Training]] = {
    "huang_2017": _huang_2017,
    "park_lee_2019": _park_lee_2019,
}


def main() -> None:
    """Train."""
    parser = parser_of(__doc__.splitlines()[0], name="paper_network", num_steps=4_000, batch_size=4)
    parser.add_argument("paper", choices=TRAININGS)
    options = parser.parse_args()
    torch.manual_seed(0)
    training = TRAININGS[options.paper](options.steps)
    pairs = [[resize(image, 256, edge="long") for image in read_pair(pair)] for pair in PAIRS]
    run(
        training.network,
        options,
        name=options.paper,
        styles=paintings(options.pictures / "paintings"),
        phases=training.phases,
        pairs=[(content, style) for content, style in pairs],
        rate=1e-3,
        criterion=training.criterion,
    )


if __name__ == "__main__":
    main()
