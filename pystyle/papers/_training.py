from collections.abc import Mapping
from functools import partial
from typing import TypedDict

from torch.optim import Adam

from pystyle.runner import InverseSchedule, LinearSchedule
from pystyle.training import Adversary, Task
from pystyle.typing import OptimizerFactory, Schedule


class TrainingOptions(TypedDict):
    """How a paper trains its network: arguments of :func:`pystyle.training.train`.

    Attributes:
        num_steps: How many steps.
        batch_size: Contents in a step.
        crop_size: The edge of the crops in pixels.
        optimizer: What moves the weights, with its learning rate.
        learning_rate: What the learning rate is multiplied by, from the fraction of the training.
        averaging: The decay of the average of the weights; 0 for the last weights.
        max_gradient_norm: The longest gradient; None for no limit.
    """

    num_steps: int
    batch_size: int
    crop_size: int | None
    optimizer: OptimizerFactory
    learning_rate: Schedule
    averaging: float
    max_gradient_norm: float | None


class GameOptions(TrainingOptions):
    """How a paper trains its network against discriminators, besides its :class:`TrainingOptions`.

    Attributes:
        adversaries: How the discriminators learn, by the names of their losses.
        tasks: What else the network learns.
        paired: Whether each content belongs to the style with its number.
    """

    adversaries: dict[str, Adversary | None]
    tasks: dict[str, Task]
    paired: bool


CONSTANT_THEN_FALLING = LinearSchedule(1.0, 0.0, begin=0.5)
"""For the first half as it is, then in a straight line to 0: how CycleGAN and its followers train."""

CONSTANT = LinearSchedule(1.0, 1.0)


def adam_training(
    *, rate: float, num_steps: int, batch_size: int, learning_rate: Schedule = CONSTANT
) -> TrainingOptions:
    """What the papers have in common: Adam, crops of 256 pixels, no average of weights, no clipping."""
    return {
        "num_steps": num_steps,
        "batch_size": batch_size,
        "crop_size": 256,
        "optimizer": partial(Adam, lr=rate),
        "learning_rate": learning_rate,
        "averaging": 0.0,
        "max_gradient_norm": None,
    }


def training_of_adain(*, num_steps: int, batch_size: int) -> TrainingOptions:
    """How Huang and Belongie train, and many after them: at a rate of 1e-4 / (1 + 5e-5 t)."""
    falling = InverseSchedule(5e-5 * num_steps)
    return adam_training(rate=1e-4, num_steps=num_steps, batch_size=batch_size, learning_rate=falling)


def adversarial_training(
    *,
    num_steps: int,
    adversaries: Mapping[str, Adversary | None],
    tasks: Mapping[str, Task] | None = None,
    paired: bool = False,
    rate: float = 2e-4,
    betas: tuple[float, float] = (0.5, 0.999),
    batch_size: int = 1,
    crop_size: int | None = 256,
    learning_rate: Schedule = CONSTANT_THEN_FALLING,
) -> GameOptions:
    """What pix2pix, CycleGAN and their followers have in common: Adam with less momentum, and one image.

    No average of weights, and no clipping. The discriminators have optimizers of their own.
    """
    return {
        "num_steps": num_steps,
        "batch_size": batch_size,
        "crop_size": crop_size,
        "optimizer": partial(Adam, lr=rate, betas=betas),
        "learning_rate": learning_rate,
        "averaging": 0.0,
        "max_gradient_norm": None,
        "adversaries": dict(adversaries),
        "tasks": dict(tasks or {}),
        "paired": paired,
    }
