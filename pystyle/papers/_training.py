from typing import TypedDict

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
