"""All discriminators of a training."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.losses import AdversarialLoss
from pystyle.training._adversary import Adversary
from pystyle.training._phase import Phase
from pystyle.training._player import SIGNALS, Player
from pystyle.training._task import Task

Duels = Mapping[str, tuple[Tensor, Tensor]]
"""Real images and painted ones, by the names of the losses."""


def adversarial_losses(criterion: Criterion, tasks: Mapping[str, Task]) -> dict[str, AdversarialLoss]:
    """The losses with discriminators: those of the criterion by their names, others as ``"task.name"``."""
    own = {name: loss for name, loss in criterion.named_losses.items() if isinstance(loss, AdversarialLoss)}
    others = {f"{task}.{name}": loss for task, one in tasks.items() for name, loss in one.adversarial.items()}
    return own | others


def num_parts(adversaries: Mapping[str, Adversary | None]) -> int:
    """How many batches a step sees, so that each move of a discriminator has its own."""
    return max((adversary.num_steps for adversary in adversaries.values() if adversary), default=1)


class Players:
    """The discriminators that learn, each after its own settings.

    Args:
        losses: The losses that they are part of, by name.
        adversaries: How they learn, by the names of their losses; None for one that does not.

    Attributes:
        num_parts: Into how many parts a batch is divided, so that each move has one of its own.
    """

    def __init__(
        self, losses: Mapping[str, AdversarialLoss], adversaries: Mapping[str, Adversary | None]
    ) -> None:
        self._players = [
            Player(name, loss, settings)
            for name, loss in losses.items()
            if (settings := adversaries[name]) is not None
        ]
        self.num_parts = num_parts(adversaries)

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._players)

    def holds_network(self, phase: Phase) -> bool:
        """Whether the network stays in this step, because a discriminator is not right often enough."""
        return any(
            player.adversary.most_success is not None and not player.waits for player in self._active(phase)
        )

    def move(
        self, part: int, phase: Phase, duels: Duels, contents: Tensor, *, rate: float
    ) -> tuple[dict[str, Tensor], bool]:
        """Let those move that move with this part of the batch.

        Returns:
            The signals of those that moved, and whether all was finite.
        """
        signals: dict[str, Tensor] = {}
        finite = True
        for player in self._active(phase):
            if part < self.num_parts - player.adversary.num_steps:
                continue
            real, painted = (images.detach() for images in duels[player.name])
            with torch.enable_grad():
                own, fine = player.move(real, painted, contents, rate=rate, stay=player.waits)
            signals |= {f"{player.name}.{signal}": value for signal, value in own.items()}
            finite &= fine
        return signals, finite

    def with_zeros(self, signals: Mapping[str, Tensor], zero: Tensor) -> dict[str, Tensor]:
        """The signals of all players; zeros for those that do not play."""
        names = [f"{player.name}.{signal}" for player in self._players for signal in SIGNALS]
        return {name: signals.get(name, zero) for name in names}

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from."""
        return {player.name: player.state_dict() for player in self._players}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of others with the same arguments."""
        for player in self._players:
            player.load_state_dict(state[player.name])

    def _active(self, phase: Phase) -> Iterator[Player]:
        """Those that play in a phase."""
        off = switched_off(phase)
        for player in self._players:
            if not phase.identity and player.name.partition(".")[0] not in off:
                yield player


def switched_off(phase: Phase) -> frozenset[str]:
    """The losses and tasks that do not count in a phase."""
    return frozenset(name for name, weight in phase.weights.items() if weight == 0)
