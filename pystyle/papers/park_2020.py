r"""Park, Efros, Zhang, Zhu 2020: contrastive learning for unpaired image-to-image translation (CUT, FastCUT).

:Paper: https://arxiv.org/abs/2007.15651
:Code: https://github.com/taesungp/contrastive-unpaired-translation/tree/b3ac297

A network :math:`G` makes pictures :math:`\hat y = G(x)` of contents. A discriminator takes care that they
look like the styles :math:`y`; that they keep what is in the content is left to the network's own first half.
What it sees at a place of the picture, behind a small network :math:`H_l`, is to be recognised as what it
sees at the same place of the content, among other places of that content (equations 3 to 5):

.. math:: \ell_l = - \log \frac{\exp(\hat z_l^s \cdot z_l^s / \tau)}
          {\sum_{s'} \exp(\hat z_l^s \cdot z_l^{s'} / \tau)}
          \qquad z_l^s = \frac{H_l(G_l^s(x))}{\| H_l(G_l^s(x)) \|}

.. math:: \mathcal{L} = \mathcal{L}_{GAN} + \lambda_X \mathcal{L}_{PatchNCE}(x, G(x))
          + \lambda_Y \mathcal{L}_{PatchNCE}(y, G(y))

======================  ===============================  ==================================================
what                    paper                            authors' code
======================  ===============================  ==================================================
network                 that of CycleGAN, 9 blocks       sizes are halved and doubled with blurs, by
                                                         (1, 2, 1) and (1, 3, 3, 1); 11,378,179 parameters
discriminator           70 x 70 PatchGAN                 the same blurs, 84 x 84; 2,764,737 parameters
weights at first        --                               Xavier's, 0.02 times as large
game                    least squares                    the same, half of the discriminator's loss
layers                  five, evenly distributed over    0, 4, 8, 12, 16: pixels with their border, before
                        the first half                   the two blurs of the way down [4], blocks 1 and 5
small networks          two layers of 256, divided by    the same; they learn as the network does
                        the length
places                  256                              256, the same for all images of a batch; negatives
                                                         of the same image
which learns            --                               the picture's side: the content's gets no gradient
τ                       0.07                             0.07
layers and places       added up                         their mean
:math:`λ_X, λ_Y` CUT    1, 1                             1/2, 1/2: 1 for the mean of both
the same of FastCUT     10, 0                            10, 0; half of the contents are mirrored, and the
                                                         features of their pictures mirrored back
optimizer               Adam; 0.002 [1]                  Adam, 2e-4, β = (0.5, 0.999)
epochs of CUT           400, the rate falls in the       200, and 200 in which it falls to 0
                        second half
epochs of FastCUT       200, following CycleGAN [2]      150, and 50 in which it falls to 0 [3]
images                  --                               one; squeezed to 286 x 286, crops of 256, mirrored;
                                                         while the rate falls squeezed to 256, no crops
======================  ===============================  ==================================================

Sources: the authors' repository, commit b3ac297: ``models/cut_model.py``, ``models/patchnce.py``,
``models/networks.py``, ``options``, ``data/unaligned_dataset.py``. Its issues: [1] 54, where the rate is
taken for a slip, because the paper says that it follows CycleGAN; [2] quoted in 39; [3] an author in 39. [4]
The features are those of the convolutions, before they are normalised. What else stands in the column of the
paper is from memory, and what has [M].

What differs here: both variants take the mean over layers and places, and the rate of 2e-4. The network moves
first in each step, then the discriminator; the authors do it the other way round. Contents are mirrored, and
so are their features, where the authors mirror the content and the features of its picture: the same for
folders that are mirrored half of the time, see :class:`~pystyle.training.ContrastTask`. Enlarged features
have their last pixels beyond the border, where the authors' convolutions have zeros. `crop_size` is the crop;
the folders are read with ``ImageFolder(folder, crop_size=286, scales=(1.0, 1.0))``, which cuts the largest
square out in place of squeezing, and crops do not end when the rate falls. An epoch is one of 1,334 images,
the larger folder of horse2zebra [M]. The authors' training of a single image, which needs StyleGAN2, is left
out::

    painter = network()
    train(painter, criterion(), contents=photographs, styles=paintings, **training(painter))
"""

from collections.abc import Sequence
from functools import partial

from torch import nn
from torch.optim import Adam

from pystyle.criterion import Criterion
from pystyle.losses import AdversarialLoss
from pystyle.networks import PatchDiscriminator, ResNetGenerator, Stylizer
from pystyle.papers._training import CONSTANT_THEN_FALLING, GameOptions, adversarial_training
from pystyle.papers._variants import Variant, check_variant
from pystyle.runner import LinearSchedule
from pystyle.training import Adversary, ContrastTask

__all__ = ["criterion", "discriminator", "network", "training"]

LAYERS = ("pixels", "down1", "down2", "block1", "block5")
"""Those whose features are contrasted."""
_EPOCH = 1_334
_LAST_QUARTER = LinearSchedule(1.0, 0.0, begin=0.75)
_ADAM = partial(Adam, lr=2e-4, betas=(0.5, 0.999))


def network(*, width: int = 64, num_blocks: int = 9, style: str = "style") -> ResNetGenerator:
    """The network of CUT, which learns one style.

    Args:
        width: Channels at the full size.
        num_blocks: How many residual blocks there are.
        style: The name of the style.

    Returns:
        The network, with the weights it begins with.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> sum(parameter.numel() for parameter in network().parameters())
        11378179
    """
    painter = ResNetGenerator(width=width, num_blocks=num_blocks, antialias=True, border="zeros", style=style)
    _begin(painter)
    return painter


def discriminator(*, width: int = 64) -> PatchDiscriminator:
    """The discriminator of patches, which blurs before it halves the size.

    Args:
        width: Channels of its first layer.

    Returns:
        The discriminator, with the weights it begins with.

    Raises:
        ValueError: If the number is not positive.

    Example:
        >>> judge = discriminator()
        >>> judge.receptive_field, sum(parameter.numel() for parameter in judge.parameters())
        (84, 2764737)
    """
    judge = PatchDiscriminator(width=width, antialias=True)
    _begin(judge)
    return judge


def criterion(judge: nn.Module | None = None) -> Criterion:
    """The judgement of the discriminator. What is contrasted is a task of :func:`training`.

    Args:
        judge: The discriminator; :func:`discriminator` if not given.

    Returns:
        The criterion, with the loss ``"adversarial"``.

    Example:
        >>> criterion(discriminator(width=2)).term_names
        ('adversarial.image',)
    """
    return Criterion(None, {"adversarial": AdversarialLoss(discriminator() if judge is None else judge)})


def training(
    network: Stylizer,
    *,
    fast: bool = False,
    variant: Variant = "code",
    layers: Sequence[str] = LAYERS,
    num_steps: int | None = None,
) -> GameOptions:
    """How the network is trained.

    Args:
        network: The network, whose features are contrasted.
        fast: FastCUT: a larger weight of the contrast, none of the styles with themselves, mirrored
            contents, and half as many steps.
        variant: ``"paper"`` counts both halves of the contrast of CUT fully, and lets the rate of FastCUT
            fall from the middle on; ``"code"`` counts each half, and lets it fall in the last quarter.
        layers: Layers of the features, for a network with fewer than five blocks.
        num_steps: How many steps; those of horse2zebra by default.

    Returns:
        Arguments of :func:`pystyle.training.train`. The small networks on top of the features are in them.

    Raises:
        TypeError: If the network shows no features.
        ValueError: If the variant is another.

    Example:
        >>> options = training(network(width=2), fast=True)
        >>> options["num_steps"], options["tasks"]["contrast"].weight
        (266800, 10.0)
    """
    check_variant(variant)
    if fast:
        contrast = ContrastTask(network, layers, identity=False, flip=True, weight=10.0)
        epochs, rate = 200, CONSTANT_THEN_FALLING if variant == "paper" else _LAST_QUARTER
    else:
        contrast = ContrastTask(network, layers, weight=2.0 if variant == "paper" else 1.0)
        epochs, rate = 400, CONSTANT_THEN_FALLING
    return adversarial_training(
        num_steps=epochs * _EPOCH if num_steps is None else num_steps,
        adversaries={"adversarial": Adversary(_ADAM)},
        tasks={"contrast": contrast},
        learning_rate=rate,
    )


def _begin(module: nn.Module) -> None:
    """The small weights of the authors' code."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_normal_(layer.weight, gain=0.02)
