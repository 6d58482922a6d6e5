from collections.abc import Callable

from torch import Tensor

from pystyle.criterion import Terms
from pystyle.networks import Stylizer
from pystyle.runner import Step
from pystyle.training._trainer import Trainer


class TrainingStep(Step):
    """What a callback sees after each step of a training: a :class:`~pystyle.runner.Step`, and the network.

    Its `image` are the pictures of this step.

    Args:
        trainer: What takes the steps.
        index: Steps done so far, starting with 1.
        num_steps: Steps of the whole training.
        terms: The losses that this step started from.
        seconds: Since the start of the training.
        image: Makes the pictures of this step.

    Example:
        >>> def keep_a_copy(step: TrainingStep) -> None:
        ...     if step.index % 1000 == 0:
        ...         step.network.save(f"network-{step.index}.safetensors")
    """

    def __init__(
        self,
        trainer: Trainer,
        index: int,
        num_steps: int,
        terms: Terms,
        seconds: float,
        image: Callable[[], Tensor],
    ) -> None:
        super().__init__(index, num_steps, terms, seconds, image)
        self._trainer = trainer
        self.signals = trainer.signals

    @property
    def network(self) -> Stylizer:
        """The network with the average of its weights so far; it goes on changing."""
        return self._trainer.averaged

    @property
    def skipped(self) -> int:
        """Steps that were left out so far, because a loss or a gradient was not finite."""
        return self._trainer.skipped
