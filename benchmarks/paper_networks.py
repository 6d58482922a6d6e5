"""Trains the networks of the feed-forward papers, as far as two cores go.

    python benchmarks/paper_networks.py pictures huang_2017 -o huang_2017

It takes the folder that `photographs.py` makes, and writes what `any_style.py` does. Networks and losses are
those of `pystyle.papers`; small crops, few steps and a rate that falls from a larger one are ours. A run that
is started again goes on, and the same command runs on a GPU.
"""

import argparse
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

import torch
from any_style import paintings
from masters import STYLES, painting
from network_trainings import parser_of, run
from pictures import PAIRS, read_pair
from torch import Tensor

from pystyle import ContentLoss, Criterion
from pystyle.encoders import vgg19
from pystyle.images import resize
from pystyle.networks import Style, Stylizer
from pystyle.papers import dumoulin_2017, huang_2017, li_fang_2017, park_lee_2019
from pystyle.training import ImageFolder, Images, Phase

_CROP, _LAYER = 128, "relu3_1"


def _huang_2017(options: argparse.Namespace) -> None:
    """From relu3_1; a tenth of the steps as an auto-encoder, in which the pixels count as well."""
    criterion = huang_2017.criterion(layer=_LAYER)
    losses = {**criterion.named_losses, "pixels": ContentLoss("image", weight=100.0)}
    first = options.steps // 10
    _train(
        huang_2017.network(layer=_LAYER),
        options,
        criterion=Criterion(criterion.encoder, losses),
        phases=[
            Phase(first, crop_size=_CROP, identity=True),
            Phase(options.steps - first, crop_size=_CROP, weights={"pixels": 0.0}),
        ],
    )


def _park_lee_2019(options: argparse.Namespace) -> None:
    """At relu3_1 and relu3_4; pictures in another style and in their own take turns.

    The decoder begins as the one of WCT, what merges both layers as the identity, and what is attended to as
    nothing. A larger rate forgets the colours that the decoder knows.
    """
    layers, style_layers = (_LAYER, "relu3_4"), huang_2017.STYLE_LAYERS
    network = park_lee_2019.network(layers=layers)
    if options.decoder is not None:
        wct = li_fang_2017.WCTNetwork.load(options.decoder)
        network.decoder.load_state_dict(wct.decoders[wct.levels.index(3)].state_dict())
        torch.nn.init.dirac_(network.merging.weight)
        for block in (network.shallow, network.deep):
            torch.nn.init.zeros_(block.output.weight)
    encoder = vgg19("caffe_normalized", padding="reflect", ceil_mode=True)
    criterion, phases = park_lee_2019.alternating(
        park_lee_2019.criterion(encoder, content_layers=layers, style_layers=style_layers),
        park_lee_2019.identity_criterion(encoder, layers=style_layers),
        num_steps=options.steps // 2,
        # Attention compares all positions with all.
        crop_size=96,
    )
    _train(network, options, criterion=criterion, phases=phases, rate=2e-4)


def _li_fang_2017(options: argparse.Namespace) -> None:
    """From relu3_1 on, one level after the other; last convolutions are solved for."""
    photographs = ImageFolder(options.pictures / "photographs", crop_size=_CROP)
    parts = []
    for level in (3, 2):
        part = li_fang_2017.Reconstruction(level=level)
        # Means of both squares count the same, as in the port that the authors link to.
        feature_weight = {2: 3 * 4 / 128, 3: 3 * 16 / 256}[level]
        _train(
            part,
            argparse.Namespace(**{**vars(options), "output": options.output / f"level-{level}"}),
            criterion=li_fang_2017.criterion(level=level, feature_weight=feature_weight),
            phases=[Phase(options.steps // 2, crop_size=_CROP, identity=True)],
        )
        parts.append(li_fang_2017.least_squares(part, photographs))
    parts.append(li_fang_2017.least_squares(li_fang_2017.Reconstruction(level=1), photographs))
    li_fang_2017.joined(parts).save(options.output / "li_fang_2017.safetensors", half=True)


def _dumoulin_2017(options: argparse.Namespace) -> None:
    """The sixteen paintings of `masters`, with half of the channels of the paper."""
    contents = [resize(read_pair(pair)[0], 256, edge="long") for pair in PAIRS]
    _train(
        dumoulin_2017.network(list(STYLES), width=16),
        options,
        criterion=dumoulin_2017.criterion(),
        phases=[Phase(options.steps, crop_size=_CROP)],
        styles=[painting(options.pictures, number)[0] for number in STYLES.values()],
        pairs=list(zip(cycle(contents), STYLES, strict=False)),
    )


TRAININGS: dict[str, Callable[[argparse.Namespace], None]] = {
    "dumoulin_2017": _dumoulin_2017,
    "huang_2017": _huang_2017,
    "li_fang_2017": _li_fang_2017,
    "park_lee_2019": _park_lee_2019,
}


def _train(
    network: Stylizer,
    options: argparse.Namespace,
    *,
    criterion: Criterion,
    phases: Sequence[Phase],
    styles: Images | None = None,
    pairs: Sequence[tuple[Tensor, Style]] | None = None,
    rate: float = 1e-3,
) -> None:
    """Train, on all paintings, and show the pairs that defaults were chosen on, if nothing else is said."""
    if pairs is None:
        shown = [[resize(image, 256, edge="long") for image in read_pair(pair)] for pair in PAIRS]
        pairs = [(content, style) for content, style in shown]
    run(
        network,
        options,
        name=options.paper,
        styles=paintings(options.pictures / "paintings") if styles is None else styles,
        phases=phases,
        pairs=pairs,
        rate=rate,
        criterion=criterion,
    )


def main() -> None:
    """Train."""
    parser = parser_of(__doc__.splitlines()[0], name="paper_network", num_steps=4_000, batch_size=4)
    parser.add_argument("paper", choices=TRAININGS)
    parser.add_argument("--decoder", type=Path, help="a network of li_fang_2017, for park_lee_2019")
    options = parser.parse_args()
    torch.manual_seed(0)
    TRAININGS[options.paper](options)


if __name__ == "__main__":
    main()
