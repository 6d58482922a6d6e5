"""`pystyle train --recipe`: a network that learns from many paintings, against a discriminator."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from pystyle.cli._encoders import chosen_device
from pystyle.cli._errors import UsageError
from pystyle.criterion import Criterion
from pystyle.evaluation._precision import precision_on
from pystyle.functional import differentiable_augmentation
from pystyle.losses import AdversarialLoss
from pystyle.networks import PatchDiscriminator, ResNetGenerator
from pystyle.typing import OptimizerFactory

if TYPE_CHECKING:  # All papers would come with it, which other commands need not wait for.
    from pystyle.papers._training import GameOptions

_FEW = 100
"""With fewer paintings a discriminator soon knows them by heart."""


def recipe_network(options: argparse.Namespace, name: str) -> ResNetGenerator:
    """The network of a recipe before its first step, on its device."""
    torch.manual_seed(options.seed)
    if options.recipe == "cyclegan":
        # Transposed convolutions, as published, paint checkerboards.
        network = ResNetGenerator(width=options.width, upsampling="resize", border="zeros", style=name)
    else:
        from pystyle.papers import park_2020

        network = park_2020.network(width=options.width, style=name)
    return network.to(chosen_device(options))


def recipe_arguments(
    options: argparse.Namespace, network: ResNetGenerator, num_paintings: int
) -> dict[str, Any]:
    """What `train` is given beside the images, for the network on its device.

    The weights of the discriminators are drawn by torch's global generator.

    Raises:
        UsageError: If the crops are too small for the discriminator.
    """
    judge = _judge(options)
    if options.crop_size < judge.smallest:
        raise UsageError(
            f"`--crop-size` must be at least {judge.smallest} with `--recipe`, got {options.crop_size}."
        )
    augmentation = differentiable_augmentation if augments(num_paintings) else None
    criterion = Criterion(None, {"adversarial": AdversarialLoss(judge, augmentation=augmentation)})
    game = _game(options, network)
    device = chosen_device(options)
    return {
        # The average of `train` itself: of few steps the last weights are no good picture.
        **{name: value for name, value in game.items() if name != "averaging"},
        "criterion": criterion.to(device),
        "batch_size": options.batch_size,
        "crop_size": options.crop_size,
        "optimizer": _at(game["optimizer"], options.learning_rate),
        "adversaries": {
            name: adversary and replace(adversary, optimizer=_at(adversary.optimizer, options.learning_rate))
            for name, adversary in game["adversaries"].items()
        },
        "autocast": precision_on(device, options.precision) == "bfloat16",
    }


def augments(num_paintings: int) -> bool:
    """Whether the discriminator judges augmented images, because it would know the paintings by heart."""
    return num_paintings < _FEW


def few_paintings(num_paintings: int) -> str:
    """What is said if the discriminator judges augmented images."""
    return (
        f"The discriminator judges images with other colours, moved and cut, because {num_paintings} "
        f"painting{' is' if num_paintings == 1 else 's are'} few: it would know fewer than {_FEW} by heart."
    )


def recipe_card(options: argparse.Namespace, num_paintings: int) -> Mapping[str, Any]:
    """What the file says of a recipe."""
    return {
        "recipe": options.recipe,
        "paintings": num_paintings,
        "augmented": augments(num_paintings),
        "learning_rate": options.learning_rate,
    }


def recipe_facts(options: argparse.Namespace, signals: Mapping[str, float | None]) -> dict[str, Any]:
    """What programs are told of a recipe: its name, and how often each discriminator was right in the end."""
    right = {name.removesuffix(".accuracy"): value for name, value in signals.items() if "accuracy" in name}
    return {"recipe": options.recipe, "accuracy": right}


def _judge(options: argparse.Namespace) -> PatchDiscriminator:
    """A discriminator as wide as the network, as those of the papers are."""
    from pystyle.papers import park_2020, zhu_2017

    if options.recipe == "cyclegan":
        return zhu_2017.discriminator(width=options.width)
    return park_2020.discriminator(width=options.width)


def _game(options: argparse.Namespace, network: ResNetGenerator) -> "GameOptions":
    """What the paper gives `train`."""
    from pystyle.papers import park_2020, zhu_2017

    if options.recipe == "cyclegan":
        return zhu_2017.training(network, judge_back=_judge(options), num_steps=options.num_steps)
    return park_2020.training(network, fast=options.recipe == "fastcut", num_steps=options.num_steps)


def _at(optimizer: Any, rate: float) -> OptimizerFactory:
    """The optimizer of a paper at another rate."""
    return partial(optimizer, lr=rate)
