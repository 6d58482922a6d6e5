"""A discriminator that learns."""

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from pystyle.functional import discriminator_loss, gradient_penalty, real_gradient_penalty
from pystyle.functional._adversarial import painted_loss, shares_told
from pystyle.losses import AdversarialLoss
from pystyle.training._adversary import Adversary
from pystyle.training._optimizers import checked_optimizer
from pystyle.training._picture_pool import PicturePool
from pystyle.training._processes import processes
from pystyle.typing import AdversarialKind

SIGNALS = ("discriminator", "accuracy", "penalty")
"""What a player says of itself: its loss, how often it is right, and its penalties."""
_MEMORY_OF_SUCCESS = 0.95


class Player:
    """Moves the weights of a discriminator.

    Args:
        name: That of its loss.
        loss: The loss that it is part of.
        adversary: How it learns.

    Attributes:
        success: How often it was right, in the average of the last steps.

    Raises:
        ValueError: If nothing of it can be trained, or it sees contents and has a memory.
    """

    def __init__(self, name: str, loss: AdversarialLoss, adversary: Adversary) -> None:
        self.name, self.loss, self.adversary = name, loss, adversary
        if loss.conditional and adversary.memory:
            raise ValueError(
                f"`memory` must be 0 for the discriminator of {name!r}, which sees pictures with their "
                f"contents, got {adversary.memory}."
            )
        self._parameters = [loss.discriminator.get_parameter(name) for name in loss.trainable]
        if not self._parameters:
            raise ValueError(
                f"The discriminator of {name!r} must have something to be trained, and is frozen as a whole. "
                "A loss freezes its discriminator: before you put one into another loss, call "
                "`requires_grad_(True)`. For a judge that shall stay as it is, give None in `adversaries`."
            )
        factory: Any = adversary.optimizer
        self._optimizer = checked_optimizer(factory(self._parameters))
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        self._pool = PicturePool(adversary.memory)
        self.success = adversary.most_success or 0.0
        loss.discriminator.train()
        processes().copy_first([*loss.discriminator.parameters(), *loss.discriminator.buffers()])

    @property
    def waits(self) -> bool:
        """Whether it is right so often that the network moves instead."""
        return self.adversary.most_success is not None and self.success >= self.adversary.most_success

    def move(
        self, real: Tensor, painted: Tensor, contents: Tensor, *, rate: float, stay: bool = False
    ) -> tuple[dict[str, Tensor], bool]:
        """Learn to tell real pictures from painted ones.

        Args:
            real: Pictures by hand.
            painted: Pictures by the network.
            contents: Their contents.
            rate: What the learning rate is multiplied by.
            stay: Look, but do not move.

        Returns:
            The signals, and whether all was finite.
        """
        if self.adversary.memory:
            # All processes have the same pool, and so the bytes of one process.
            painted = processes().share_of(self._pool.exchange(processes().gathered(painted)))
        for parameter in self._parameters:
            parameter.requires_grad_(True)
        try:
            loss, penalty, accuracy, success = self._judged(real, painted, contents)
            if not stay:
                self._optimizer.zero_grad(set_to_none=True)
                (loss + penalty).backward()  # type: ignore[no-untyped-call]
        finally:
            for parameter in self._parameters:
                parameter.requires_grad_(False)
        signals = torch.stack([loss.detach(), accuracy, penalty.detach(), success if stay else accuracy])
        processes().average([signals])
        self.success = _MEMORY_OF_SUCCESS * self.success + (1 - _MEMORY_OF_SUCCESS) * float(signals[-1])
        finite = stay or self._step(rate)
        return dict(zip(SIGNALS, signals[:-1], strict=True)), finite and bool(signals.isfinite().all())

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from; the tensors are the player's own."""
        return {
            "discriminator": dict(self.loss.discriminator.state_dict()),
            "optimizer": self._optimizer.state_dict(),
            "pool": self._pool.state_dict(),
            "success": self.success,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another player with the same arguments."""
        self.loss.discriminator.load_state_dict(state["discriminator"])
        self._optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self._pool.load_state_dict(state["pool"], self._parameters[0].device)
        self.success = state["success"]

    def _judged(
        self, real: Tensor, painted: Tensor, contents: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The loss, the penalties, how often it is right about all images, and how often about pictures."""
        scores = partial(self.loss.scores, content=contents if self.loss.conditional else None)
        decoys = self.adversary.decoys(real, contents) if self.adversary.decoys else ()
        weights = [1.0, *(weight for _, weight in decoys)]
        seen = [scores(images) for images in (real, painted, *(images.detach() for images, _ in decoys))]
        losses, accuracies, successes = [], [], []
        for own, *others in zip(*seen, strict=True):
            losses.append(_loss(own, others, weights, self.loss.kind))
            told = [shares_told(own, other, self.loss.kind) for other in others]
            shares = [told[0][0], *(w * share for w, (_, share) in zip(weights, told, strict=True))]
            accuracies.append(torch.stack(shares).sum() / (1 + sum(weights)))
            successes.append(told[0][1])
        loss, accuracy, success = (torch.stack(found).mean() for found in (losses, accuracies, successes))
        penalty = torch.zeros_like(loss)
        if self.adversary.gradient_penalty:
            penalty = penalty + self.adversary.gradient_penalty * gradient_penalty(scores, real, painted)
        if self.adversary.real_penalty:
            penalty = penalty + self.adversary.real_penalty * real_gradient_penalty(scores, real)
        return loss, penalty, accuracy, success

    def _step(self, rate: float) -> bool:
        """Move by the gradients, if they are finite."""
        processes().average([given for p in self._parameters if (given := p.grad) is not None])
        limit = self.adversary.max_gradient_norm
        norm = nn.utils.clip_grad_norm_(self._parameters, torch.inf if limit is None else limit)
        if not bool(norm.isfinite()):
            return False
        for group, usual in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = usual * rate
        self._optimizer.step()
        return True


def _loss(real: Tensor, others: Sequence[Tensor], weights: Sequence[float], kind: AdversarialKind) -> Tensor:
    """The loss of the scores of real images, of pictures, and of decoys with their weights."""
    loss = discriminator_loss(real, others[0], kind)
    for weight, scores in zip(weights[1:], others[1:], strict=True):
        loss = loss + weight * painted_loss(scores, kind)
    return loss
