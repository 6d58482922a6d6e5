"""What the trainings of the networks that are to come with pystyle have in common."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pystyle import ContentLoss, Criterion, MeanStdLoss, MultiLayerGramLoss, __version__
from pystyle.checkpoints import Checkpoints
from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation, fastest_precision
from pystyle.networks import Style, Stylizer
from pystyle.runner import CSVLogger
from pystyle.training import ImageFolder, Images, Phase, Previews, SteadyTask, TrainingStep, train

_STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
_LAYER_WEIGHTS = (1.0, 2.0, 2.0, 2.5)
"""More for the deeper ones, where the strokes are."""
_EVERY = 250
"""Steps between two looks."""


def criterion_of(content: float = 1.0) -> Criterion:
    """What the networks are trained for, with the losses of the content weighted so much."""
    return Criterion(
        vgg19(),
        {
            "content": ContentLoss("relu4_1", relative=True, weight=2.0 * content),
            "details": ContentLoss("relu3_1", relative=True, weight=1.4 * content),
            "fine details": ContentLoss("relu2_1", relative=True, weight=0.3 * content),
            "moments": MeanStdLoss(_STYLE_LAYERS, layer_weights=_LAYER_WEIGHTS, relative=True, weight=3.0),
            "gram": MultiLayerGramLoss(
                _STYLE_LAYERS, layer_weights=_LAYER_WEIGHTS, relative=True, weight=4.0
            ),
        },
    )


def phases(num_steps: int, batch_size: int, *, large: float) -> list[Phase]:
    """The phases of so many steps.

    Args:
        num_steps: Of all phases.
        batch_size: At 128 pixels; half of it is taken at 192.
        large: The share of the steps at 192 pixels, which come last; the rest is at 128.
    """
    last = round(large * num_steps)
    return [
        Phase(num_steps - last, crop_size=128),
        Phase(last, crop_size=192, batch_size=batch_size // 2),
    ]


def parser_of(description: str, *, name: str, num_steps: int, batch_size: int) -> argparse.ArgumentParser:
    """The files and options of a training."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("pictures", type=Path, help="the folder that photographs.py made")
    parser.add_argument("-o", "--output", type=Path, default=Path(name))
    parser.add_argument("--steps", type=int, default=num_steps)
    parser.add_argument("--batch-size", type=int, default=batch_size)
    parser.add_argument("--steady", type=float, default=0.0, help="how much steadiness of clips weighs")
    parser.add_argument("--device", default="cpu")
    return parser


def run(
    network: Stylizer,
    options: argparse.Namespace,
    *,
    name: str,
    styles: Images,
    phases: Sequence[Phase],
    pairs: Sequence[tuple[Tensor, Style]],
    criterion: Criterion,
    rate: float = 1e-3,
    game: Mapping[str, Any] = {},
) -> None:
    """Train a network, and save it as NAME.safetensors.

    Args:
        network: The network.
        options: Those of :func:`parser_of`.
        name: Of the file.
        styles: What it is trained on.
        phases: The phases.
        pairs: What the contact sheets show, of which nothing is trained on.
        criterion: What it is trained for.
        rate: The learning rate.
        game: Other arguments of `train`.
    """
    options.output.mkdir(parents=True, exist_ok=True)

    def keep_so_far(step: TrainingStep) -> None:
        """Save the network now and then, to look at it while it learns."""
        if step.index % _EVERY == 0:
            step.network.save(options.output / f"{name}-so-far.safetensors", half=True)

    precision = fastest_precision(options.device)
    arguments = {
        "contents": ImageFolder(options.pictures / "photographs", crop_size=192, in_memory=True),
        "styles": styles,
        "phases": phases,
        "batch_size": options.batch_size,
        "optimizer": partial(torch.optim.Adam, lr=rate),
        "evaluation": EagerEvaluation(precision=precision),
        "autocast": precision == "bfloat16",
        "callbacks": [
            CSVLogger(options.output / "log.csv"),
            keep_so_far,
            Previews(options.output / "preview-{step}.jpg", pairs, every=_EVERY),
        ],
        "checkpoint": Checkpoints(options.output / "checkpoints", seconds=300),
        "resume": True,
    }
    steady = {"steady": SteadyTask(weight=options.steady)} if options.steady else {}
    tasks = {**steady, **game.get("tasks", {})}
    result = train(
        network.to(options.device), criterion.to(options.device), **{**arguments, **game, "tasks": tasks}
    )
    print(result)
    card = {
        "made_by": f"{Path(sys.argv[0]).name} {name}, pystyle {__version__}",
        "photographs": len(arguments["contents"]),
        "paintings": len(styles),
        "licences": "those of the manifest.json that photographs.py writes",
        "steps": len(result.history["step"]) + result.skipped,
        "crop_size": [phase.crop_size for phase in phases],
        "batch_size": options.batch_size,
        "losses": list(criterion.named_losses),
        **({"steady": options.steady} if options.steady else {}),
        **({"started_from": options.start.name} if getattr(options, "start", None) else {}),
        "seconds": round(result.seconds),
    }
    result.network.save(options.output / f"{name}.safetensors", half=True, card=card)
