from collections.abc import Sequence
from functools import partial

from torch import Tensor
from torch.optim import Adam

from pystyle.criterion import Criterion
from pystyle.losses import AdversarialLoss
from pystyle.papers._training import GameOptions, adversarial_training
from pystyle.papers.sanakoyeu_2018._discriminator import discriminator
from pystyle.papers.sanakoyeu_2018._losses import StyleAwareContent, TransformedImageLoss
from pystyle.runner import LinearSchedule
from pystyle.training import Adversary

_NUM_HEADS = 5
_RATE = 2e-4


def criterion(
    *, width: int = 64, adversarial_weight: float = 1.0, transformed_weight: float = 100.0
) -> Criterion:
    """The losses of the picture, with the weights of the code; that of the features is in :func:`training`.

    Args:
        width: Half the channels of the first layer of the discriminator.
        adversarial_weight: The weight of the discriminator, for each of its depths.
        transformed_weight: The weight of the transformed image loss, for images in [-1, 1].

    Returns:
        A criterion with the losses ``adversarial`` and ``transformed``, without an encoder.

    Raises:
        ValueError: If the width is not positive.

    Example:
        >>> losses = criterion(width=2).losses
        >>> losses["adversarial"].weight, losses["transformed"].weight
        (5.0, 400.0)
    """
    return Criterion(
        None,
        {
            # The code adds the depths up, and the loss is their mean.
            "adversarial": AdversarialLoss(
                discriminator(width=width), "non-saturating", weight=_NUM_HEADS * adversarial_weight
            ),
            # Differences in [0, 1] are half of those in [-1, 1], and their squares a quarter.
            "transformed": TransformedImageLoss(weight=4 * transformed_weight),
        },
    )


def training(
    *, num_steps: int = 300_000, feature_weight: float = 100.0, most_success: float = 0.8
) -> GameOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps. In each, either the network moves or the discriminator.
        feature_weight: The weight of the style-aware content loss, :class:`StyleAwareContent`.
        most_success: How often the discriminator is to be right; see :class:`~pystyle.training.Adversary`.

    Raises:
        ValueError: If a number has an impossible value.

    Example:
        >>> options = training()
        >>> options["num_steps"], options["crop_size"], options["adversaries"]["adversarial"].most_success
        (300000, 768, 0.8)
    """
    adversary = Adversary(partial(Adam, lr=_RATE), most_success=most_success, decoys=photographs)
    return adversarial_training(
        num_steps=num_steps,
        rate=_RATE,
        betas=(0.9, 0.999),
        crop_size=768,
        learning_rate=LinearSchedule(1.0, 1.0),
        adversaries={"adversarial": adversary},
        tasks={"content": StyleAwareContent(weight=feature_weight)},
    )


def photographs(real: Tensor, contents: Tensor) -> Sequence[tuple[Tensor, float]]:
    """The contents: the discriminator learns that they are no paintings, as the network's pictures are none.

    Args:
        real: Paintings, which are not looked at.
        contents: Photographs.

    Returns:
        Images with weights, as ``decoys`` of an :class:`~pystyle.training.Adversary` gives them.

    Example:
        >>> import torch
        >>> ((images, weight),) = photographs(torch.ones(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))
        >>> bool(images.any()), weight
        (False, 1.0)
    """
    del real
    return [(contents, 1.0)]
