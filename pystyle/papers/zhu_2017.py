r"""Zhu, Park, Isola, Efros 2017: image-to-image translation without pairs (CycleGAN).

:Paper: https://arxiv.org/abs/1703.10593
:Code: https://github.com/junyanz/CycleGAN/tree/40b4498

One network paints photographs x as paintings y, another makes photographs of paintings, and a discriminator
for each knows what there should be. What both make of an image one after the other is to be the image:

.. math:: \mathcal{L} = \mathcal{L}_{GAN}(G, D_Y) + \mathcal{L}_{GAN}(F, D_X)
          + \lambda \bigl( \mathbb{E} \| F(G(x)) - x \|_1 + \mathbb{E} \| G(F(y)) - y \|_1 \bigr)

and what is in the other collection already is to stay, so that colours do:

.. math:: \mathcal{L}_{identity} = \mathbb{E} \| G(y) - y \|_1 + \mathbb{E} \| F(x) - x \|_1

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
networks              c7s1-64, d128, d256, nine R256 (six for  the same; six by default
                      128 pixels), u128, u64, c7s1-3
normalisation         of each image                            the same, with scales and shifts
borders               mirrored                                 of zeros where the size is halved
discriminators        patches of 70 pixels, C64, C128, C256,   the same
                      C512
adversarial           least squares; half of it for the        the same; the half is in what it reports
                      discriminators                           alone, and Adam would divide it away
λ                     10                                       10, of images in [-1, 1]
identity              λ/2, from paintings to photographs       a factor of λ, 0 by default
memory                50 pictures                              50, of which one is judged half the time
training              Adam, 2e-4, batches of 1, 100 epochs;    the same, momenta 0.5 and 0.999; falls
                      100 more, in which the rate falls to 0   after each epoch
order                 --                                       G, D_Y, F, D_X
images                256 x 256                                143 x 143, crops of 128, by default,
                                                               mirrored; Monet: 1,074 paintings, 6,853
                                                               photographs
first weights         N(0, 0.02)                               the same
====================  =======================================  ==========================================

Sources: the paper's sections 3 to 5 and 7; junyanz/CycleGAN, commit 40b4498, ``options.lua``,
``models/cycle_gan_model.lua``, ``models/architectures.lua``, ``util/image_pool.lua``, ``data``,
``README.md``. They differ in defaults alone, which are arguments here, so there is no `variant`.

Both networks learn in one training, and both are there after it::

    there, back = network(), network(style="photograph")
    train(there, criterion(), contents=photographs, styles=paintings, **training(there, back=back))
    there.bind("style")(photograph), back.bind("photograph")(painting)

What differs here: normalisations have no scales and shifts, as in the authors' later code in PyTorch, whose
11,378,179 parameters these networks have. Both networks move at once, as there, and then both discriminators.
The rate falls a little with each step. An epoch is one of the larger collection, as in the code. Crops are
those of the later code: of 256 pixels, from images of 286. An image that is no square gets a short side of
this length from ``ImageFolder(folder, scales=(286 / 256, 286 / 256))``. A difference of images in [0, 1] is
half of that in the code, so λ is doubled. The last biases are learned, where the code sets biases to 0 before
each step.
"""

from torch import nn

from pystyle._arguments import number
from pystyle.criterion import Criterion
from pystyle.losses import AdversarialLoss
from pystyle.networks import PatchDiscriminator, ResNetGenerator
from pystyle.papers._training import GameOptions, adversarial_training
from pystyle.training import Adversary, CycleTask

__all__ = ["criterion", "discriminator", "network", "training"]

_EPOCHS, _NUM_PHOTOGRAPHS, _MEMORY = 200, 6853, 50


def network(*, width: int = 64, num_blocks: int = 9, style: str = "style") -> ResNetGenerator:
    """The network of one direction, with random weights; see :class:`~pystyle.networks.ResNetGenerator`.

    Args:
        width: Channels at the full size.
        num_blocks: How many residual blocks there are: nine, or six for crops of 128 pixels.
        style: The name of what it paints.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> sum(parameter.numel() for parameter in network().parameters())
        11378179
    """
    return ResNetGenerator(
        width=width, num_blocks=num_blocks, upsampling="transposed", border="zeros", style=style
    )


def discriminator(*, width: int = 64) -> PatchDiscriminator:
    """A discriminator, with random weights; see :class:`~pystyle.networks.PatchDiscriminator`.

    Args:
        width: Channels of the first layer.

    Raises:
        ValueError: If the width is not positive.

    Example:
        >>> judge = discriminator()
        >>> judge.receptive_field, sum(parameter.numel() for parameter in judge.parameters())
        (70, 2764737)
    """
    return PatchDiscriminator(width=width)


def criterion(judge: nn.Module | None = None) -> Criterion:
    """The loss that looks at the pictures alone, equation 1; all others are tasks of :func:`training`.

    Args:
        judge: The discriminator of the paintings; that of the table if not given.

    Returns:
        A criterion with the loss ``adversarial``.

    Example:
        >>> criterion(discriminator(width=2)).losses["adversarial"].kind
        'least-squares'
    """
    judge = discriminator() if judge is None else judge
    return Criterion(None, {"adversarial": AdversarialLoss(judge, "least-squares")})


def training(
    network: ResNetGenerator,
    *,
    back: ResNetGenerator | None = None,
    judge_back: nn.Module | None = None,
    cycle_weight: float = 10.0,
    identity: float = 0.5,
    num_steps: int = _EPOCHS * _NUM_PHOTOGRAPHS,
) -> GameOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        network: The network from contents to styles.
        back: That from styles to contents, which has one style, too; one like `network` if not given.
        judge_back: The discriminator of the contents; that of the table if not given.
        cycle_weight: The factor λ, of differences of images in [-1, 1].
        identity: The weight of what is to stay, as a factor of λ. The paper has it where one collection is of
            paintings; 0 for none.
        num_steps: How many steps, half of them at the first rate. The authors take 200 epochs of the 6,853
            photographs for Monet.

    Returns:
        Its ``tasks["cycle"]`` is a :class:`~pystyle.training.CycleTask` with the second network, ``back``.

    Raises:
        ValueError: If a weight is negative.

    Example:
        >>> there = network(width=2, num_blocks=1)
        >>> options = training(there, judge_back=discriminator(width=2), num_steps=1000)
        >>> options["tasks"]["cycle"].back.styles, sorted(options["adversaries"])
        (('content',), ['adversarial', 'cycle.adversarial'])
        >>> [options["learning_rate"](done) for done in (0.0, 0.5, 0.75, 1.0)]
        [1.0, 1.0, 0.5, 0.0]
    """
    weight = number(cycle_weight, "`cycle_weight`", least=0)
    if back is None:
        back = ResNetGenerator(**{**network.configuration, "style": "content"})
        back.to(network.output.weight)
    judge_back = discriminator() if judge_back is None else judge_back
    judge_back.to(network.output.weight)
    cycle = CycleTask(back, AdversarialLoss(judge_back, "least-squares"), cycle=2 * weight, identity=identity)
    learning = Adversary(memory=_MEMORY)
    return adversarial_training(
        num_steps=num_steps,
        adversaries={"adversarial": learning, "cycle.adversarial": learning},
        tasks={"cycle": cycle},
    )
