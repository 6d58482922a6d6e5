from functools import partial

from torch import nn
from torch.optim import Adam

from pystyle.criterion import Criterion
from pystyle.losses import AdversarialLoss
from pystyle.papers._training import GameOptions, adversarial_training
from pystyle.papers.gulrajani_2017._critic import discriminator
from pystyle.runner import LinearSchedule
from pystyle.training import Adversary

_BETAS = (0.0, 0.9)


def criterion(judge: nn.Module | None = None) -> Criterion:
    """What the critic says of the pictures: the mean of its scores, with the sign changed.

    Args:
        judge: The critic, :func:`discriminator` if not given. It must not normalise over a batch.

    Returns:
        The criterion, with the loss ``"adversarial"``.

    Example:
        >>> criterion(discriminator(width=2)).term_names
        ('adversarial.image',)
    """
    loss = AdversarialLoss(discriminator() if judge is None else judge, "wasserstein")
    return Criterion(None, {"adversarial": loss})


def training(*, num_steps: int = 200_000) -> GameOptions:
    """How network and critic are trained.

    Args:
        num_steps: How many steps of the network.

    Returns:
        Arguments of :func:`pystyle.training.train`.

    Example:
        >>> critic = training()["adversaries"]["adversarial"]
        >>> critic.num_steps, critic.gradient_penalty
        (5, 10.0)
    """
    optimizer = partial(Adam, lr=1e-4, betas=_BETAS)
    return adversarial_training(
        num_steps=num_steps,
        adversaries={"adversarial": Adversary(optimizer, num_steps=5, gradient_penalty=10.0)},
        rate=1e-4,
        betas=_BETAS,
        batch_size=64,
        crop_size=64,
        learning_rate=LinearSchedule(1.0, 1.0),
    )
