from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from torch import Tensor
from torch.optim import Adam

from pystyle._arguments import whole_number
from pystyle.papers._training import CONSTANT_THEN_FALLING, GameOptions, adversarial_training
from pystyle.papers.chen_2018._edges import gray, smoothed_edges
from pystyle.papers.chen_2018._recipes import Recipe, check_recipe
from pystyle.runner import LinearSchedule
from pystyle.training import Adversary, Phase
from pystyle.typing import Schedule

_BETAS = (0.5, 0.999)


class PhasedOptions(GameOptions):
    """How a paper trains its network in several phases.

    Attributes:
        phases: The phases, which count in the place of ``num_steps`` and ``crop_size``.

    Example:
        >>> [phase.weights for phase in training(num_steps=110)["phases"]]
        [{'adversarial': 0.0}, {}]
    """

    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class _EachFalling:
    """A learning rate that stays for half of each of two phases, and then falls in a line to 0.

    Args:
        first: Steps of the first phase.
        num_steps: Steps of both.
    """

    first: int
    num_steps: int

    def __call__(self, fraction: float) -> float:
        """The factor after this fraction of the training."""
        done = round(fraction * (self.num_steps - 1))
        if done < self.first:
            return float(CONSTANT_THEN_FALLING(done / self.first))
        return float(CONSTANT_THEN_FALLING((done - self.first) / (self.num_steps - self.first)))


class _Training(NamedTuple):
    """What is in the table."""

    first_epochs: int
    epochs: int
    steps_per_epoch: int
    batch_size: int
    first_rate: float
    rate: float
    adversary: Adversary
    off: tuple[str, ...]


def smoothed(real: Tensor, contents: Tensor) -> Sequence[tuple[Tensor, float]]:
    """The decoys of CartoonGAN: drawings with :func:`smoothed_edges`, as many as there are drawings.

    Args:
        real: Drawings.
        contents: Photographs, which are not looked at.

    Returns:
        Images with weights, as ``decoys`` of an :class:`~pystyle.training.Adversary` gives them.

    Example:
        >>> import torch
        >>> [weight for _, weight in smoothed(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))]
        [1.0]
    """
    del contents
    return [(smoothed_edges(real), 1.0)]


def gray_and_smoothed(real: Tensor, contents: Tensor) -> Sequence[tuple[Tensor, float]]:
    """The decoys of AnimeGAN: drawings in grey, and in grey with :func:`smoothed_edges`.

    Args:
        real: Drawings.
        contents: Photographs, which are not looked at.

    Returns:
        Images with weights, as ``decoys`` of an :class:`~pystyle.training.Adversary` gives them.

    Example:
        >>> import torch
        >>> [weight for _, weight in gray_and_smoothed(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))]
        [1.0, 0.1]
    """
    del contents
    return [(gray(real), 1.0), (gray(smoothed_edges(real)), 0.1)]


_PUBLISHED: dict[Recipe, _Training] = {
    "cartoon": _Training(
        first_epochs=20,
        epochs=200,
        steps_per_epoch=5_402 // 8,
        batch_size=8,
        first_rate=2e-4,
        rate=1e-5,
        adversary=Adversary(partial(Adam, lr=1e-5, betas=_BETAS), memory=50, decoys=smoothed),
        off=("adversarial",),
    ),
    "anime": _Training(
        first_epochs=5,
        epochs=96,
        steps_per_epoch=6_656 // 6,
        batch_size=6,
        first_rate=1e-4,
        rate=8e-5,
        adversary=Adversary(partial(Adam, lr=16e-5, betas=_BETAS), decoys=gray_and_smoothed),
        off=("adversarial", "style", "color"),
    ),
}


def training(
    *, recipe: Recipe = "cartoon", num_steps: int | None = None, crop_size: int = 256
) -> PhasedOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    In the first phase the network learns to paint the content alone.

    Args:
        recipe: Whose training.
        num_steps: How many steps, with those of the first phase, which has its share of them; those of the
            table if not given.
        crop_size: The edge of the crops in pixels.

    Raises:
        ValueError: If the recipe is unknown, or there is no step for each phase.

    Example:
        >>> [phase.num_steps for phase in training()["phases"]]
        [13500, 135000]
        >>> training(recipe="anime")["adversaries"]["adversarial"].decoys.__name__
        'gray_and_smoothed'
    """
    check_recipe(recipe)
    own = _PUBLISHED[recipe]
    epochs = own.first_epochs + own.epochs
    total = own.steps_per_epoch * epochs
    if num_steps is not None:
        total = whole_number(num_steps, "`num_steps`", least=2)
    first = max(round(total * own.first_epochs / epochs), 1)
    falling: Schedule = _EachFalling(first, total) if recipe == "cartoon" else LinearSchedule(1.0, 1.0)
    options = adversarial_training(
        num_steps=total,
        rate=own.rate,
        betas=_BETAS,
        batch_size=own.batch_size,
        crop_size=crop_size,
        learning_rate=falling,
        adversaries={"adversarial": own.adversary},
    )
    before = Phase(
        first,
        crop_size=crop_size,
        learning_rate=own.first_rate / own.rate,
        weights=dict.fromkeys(own.off, 0.0),
    )
    return {**options, "phases": (before, Phase(total - first, crop_size=crop_size))}
