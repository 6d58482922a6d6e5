from functools import partial

from torch import nn
from torch.optim import Adam

from pystyle.criterion import Criterion
from pystyle.losses import AdversarialLoss
from pystyle.papers._training import GameOptions, adversarial_training
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.zhang_2019._discriminator import discriminator
from pystyle.runner import LinearSchedule
from pystyle.training import Adversary


def criterion(judge: nn.Module | None = None) -> Criterion:
    """What the discriminator says of the pictures, in the game of the hinge.

    Args:
        judge: The discriminator; :func:`discriminator` if not given.

    Returns:
        The criterion, with the loss ``"adversarial"``.

    Example:
        >>> criterion(discriminator(width=2)).term_names
        ('adversarial.image',)
    """
    loss = AdversarialLoss(discriminator() if judge is None else judge, "hinge")
    return Criterion(None, {"adversarial": loss})


def training(*, variant: Variant = "code", num_steps: int = 1_000_000) -> GameOptions:
    """How network and discriminator are trained, each at its own rate.

    Args:
        variant: Whether the second β of Adam is that of the paper or of the authors' code.
        num_steps: How many steps.

    Returns:
        Arguments of :func:`pystyle.training.train`.

    Raises:
        ValueError: If the variant is another.

    Example:
        >>> options = training(variant="paper")
        >>> options["optimizer"].keywords
        {'lr': 0.0001, 'betas': (0.0, 0.9)}
        >>> options["adversaries"]["adversarial"].optimizer.keywords
        {'lr': 0.0004, 'betas': (0.0, 0.9)}
    """
    check_variant(variant)
    betas = (0.0, 0.9 if variant == "paper" else 0.999)
    return adversarial_training(
        num_steps=num_steps,
        adversaries={"adversarial": Adversary(partial(Adam, lr=4e-4, betas=betas))},
        rate=1e-4,
        betas=betas,
        batch_size=256,
        crop_size=128,
        learning_rate=LinearSchedule(1.0, 1.0),
    )
