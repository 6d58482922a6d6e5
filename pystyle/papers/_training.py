from functools import partial
from typing import TypedDict

from torch.optim import Adam

from pystyle.runner import InverseSchedule, LinearSchedule
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


_CONSTANT = LinearSchedule(1.0, 1.0)


def adam_training(
    *, rate: float, num_steps: int, batch_size: int, learning_rate: Schedule = _CONSTANT
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
