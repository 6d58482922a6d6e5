r"""Isola, Zhu, Zhou, Efros 2017: image-to-image translation from pairs (pix2pix).

:Paper: https://arxiv.org/abs/1611.07004
:Code: https://github.com/phillipi/pix2pix/tree/89ff2a8

A network learns from pairs of a content x and the picture y that belongs to it. A discriminator, which sees
the content as well, tells the network's pictures from those of the pairs, patch by patch:

.. math:: \min_G \max_D \; \mathbb{E}[\log D(x, y)] + \mathbb{E}[\log(1 - D(x, G(x)))]
          + \lambda \, \mathbb{E} \| y - G(x) \|_1

The distance keeps the picture where it belongs, and the discriminator makes it sharp.

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               U-Net, C64, C128, C256, five C512 down;  the same; biases of convolutions are set
                      CD512, CD1024 twice, C1024 twice, C512,  to 0 before each step
                      C256, C128 up
normalisation         of the batch, also when it paints; in    the same; not of the innermost layer
                      an erratum not of the innermost layer
noise                 dropout of 1/2 in three layers, also     the same
                      when it paints
discriminator         patches of 70 pixels, normalised like    the same
                      the network
adversarial           -log D for the network in the place of   the same; the half is in what it reports
                      log(1 - D); half of it for the           alone
                      discriminator
λ                     100                                      100, of images in [-1, 1]
first weights         N(0, 0.02)                               the same; scales from N(1, 0.02)
training              Adam, 2e-4, momenta 0.5 and 0.999,       the same, always at one rate; 200 epochs
                      batches of 1 to 10; facades: 200 epochs  of batches of 1; the discriminator moves
                      of 1 [M]                                 first
images                286 x 286 pixels, crops of 256,          the same
                      mirrored; facades: 400 pairs
====================  =======================================  ==========================================

[M]: from memory. Sources: the paper's sections 3 and 6; phillipi/pix2pix, commit 89ff2a8, ``models.lua``,
``train.lua``, ``test.lua``, ``README.md``. Both agree, so there is no `variant`.

The contents of a pair and its picture have the same number in two lists or, in the order of their names, in
two folders, and are cropped and mirrored alike::

    scales = (286 / 256, 286 / 256)
    contents, pictures = (ImageFolder(folder, scales=scales) for folder in ("labels", "facades"))
    train(network(), criterion(), contents=contents, styles=pictures, **training())

What differs here: a painter leaves nothing out and paints the same each time. The network normalises each
image by itself, which is the same in batches of one. It moves first in each step, and the discriminator then
learns from the same pictures. Of an image that is no square, `scales` resizes the short side alone. The
biases of the first and the last layer of the discriminator and of the last layer of the network are learned.
A difference of images in [0, 1] is half of that in the code, so λ is doubled; the half for the discriminator
is in the epsilon of its Adam, which divides all else away.
"""

from functools import partial

from torch import nn
from torch.optim import Adam

from pystyle.criterion import Criterion
from pystyle.losses import AdversarialLoss, ContentLoss
from pystyle.networks import PatchDiscriminator, UNetGenerator
from pystyle.papers._training import CONSTANT, GameOptions, adversarial_training
from pystyle.training import Adversary

__all__ = ["criterion", "discriminator", "network", "training"]

_RATE, _BETAS, _EPSILON = 2e-4, (0.5, 0.999), 1e-8
_EPOCHS, _NUM_FACADES = 200, 400


def network(
    *, width: int = 64, num_layers: int = 8, dropout: float = 0.5, style: str = "style"
) -> UNetGenerator:
    """The network, with random weights; see :class:`~pystyle.networks.UNetGenerator`.

    Args:
        width: Channels of the first layer.
        num_layers: How often the size is halved; 8 are for crops of 256 pixels and multiples of them.
        dropout: How many features are left out in a training, where the paper says so.
        style: The name of the style.

    Raises:
        ValueError: If a number is not possible.

    Example:
        >>> import torch
        >>> paint = network(width=4, num_layers=4).bind("style")
        >>> paint(torch.rand(1, 3, 40, 61)).shape
        torch.Size([1, 3, 40, 61])
    """
    return UNetGenerator(width=width, num_layers=num_layers, dropout=dropout, style=style)


def discriminator(*, width: int = 64, num_layers: int = 3, conditional: bool = True) -> PatchDiscriminator:
    """The discriminator, with random weights; see :class:`~pystyle.networks.PatchDiscriminator`.

    Args:
        width: Channels of the first layer.
        num_layers: How many layers halve the size: 1, 3 and 5 are for patches of 16, 70 and 286 pixels, which
            the paper compares.
        conditional: Whether it sees the content as well.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> judge = discriminator()
        >>> judge.receptive_field, sum(parameter.numel() for parameter in judge.parameters())
        (70, 2768705)
    """
    channels = 6 if conditional else 3
    return PatchDiscriminator(channels, width=width, num_layers=num_layers, normalization="batch")


def criterion(
    judge: nn.Module | None = None, *, conditional: bool = True, l1_weight: float = 100.0
) -> Criterion:
    """The losses of equations 3 and 4, with the distance of images in [-1, 1].

    Args:
        judge: The discriminator; that of the table if not given.
        conditional: Whether it sees the content as well. The paper compares both.
        l1_weight: The factor λ.

    Returns:
        A criterion with the losses ``adversarial`` and ``l1``. The reference ``"style"`` is the picture that
        belongs to the content.

    Raises:
        ValueError: If the weight is not finite.

    Example:
        >>> losses = criterion(discriminator(width=2)).losses
        >>> losses["adversarial"].kind, losses["l1"].weight             # of images in [0, 1]
        ('non-saturating', 200.0)
    """
    judge = discriminator(conditional=conditional) if judge is None else judge
    return Criterion(
        None,
        {
            "adversarial": AdversarialLoss(judge, "non-saturating", conditional=conditional),
            "l1": ContentLoss("image", reference="style", distance="l1", weight=2 * l1_weight),
        },
    )


def training(*, num_steps: int = _EPOCHS * _NUM_FACADES) -> GameOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps. The authors take 200 epochs of the 400 facades.

    Example:
        >>> options = training()
        >>> options["num_steps"], options["batch_size"], options["paired"], options["learning_rate"](1.0)
        (80000, 1, True, 1.0)
    """
    # Adam divides by the gradient: that of half of the loss moves as that of all of it by twice the epsilon.
    slowed = partial(Adam, lr=_RATE, betas=_BETAS, eps=2 * _EPSILON)
    return adversarial_training(
        num_steps=num_steps,
        adversaries={"adversarial": Adversary(slowed)},
        paired=True,
        rate=_RATE,
        betas=_BETAS,
        learning_rate=CONSTANT,
    )
