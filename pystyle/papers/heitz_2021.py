r"""Heitz, Vanhoey, Chambon, Belcour 2021: a sliced Wasserstein loss for neural texture synthesis.

:Paper: https://arxiv.org/abs/2006.07229
:Code: https://github.com/tchambon/A-Sliced-Wasserstein-Loss-for-Neural-Texture-Synthesis/tree/491ee6d

The features of all positions of a layer are a set of vectors. Projected on a direction V it becomes a set
of numbers, and two such sets of numbers are compared in ascending order:

.. math:: \mathcal{L} = \sum_l \mathbb{E}_V \left[ \frac{1}{M_l} \left\| \operatorname{sort}(F_V^l)
          - \operatorname{sort}(\hat F_V^l) \right\|^2 \right]

The minimum is 0, and only where both sets are the same, which is not so for Gram matrices.

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-19                                   VGG-19, activations scaled, average
                                                               pooling, convolutions reflect the border
layers                relu1_1 ... relu4_4, all twelve          the same
directions            random, as many as channels, new ones    the same
                      at each evaluation
larger results        values of the texture repeated           repeated
init                  noise                                    mean colour + 0.01 normal noise
optimizer             L-BFGS                                   torch's L-BFGS, 64 steps of 64 evaluations
size                  256 to 1024                              cropped to multiples of 8
====================  =======================================  ==========================================

Sources: the paper's equations 5 to 8 and section 4.1;
tchambon/A-Sliced-Wasserstein-Loss-for-Neural-Texture-Synthesis, commit 491ee6d. Both agree as far as they
say something, so there is no `variant`.

What differs here: the authors' scaled weights are replaced by those of mean activation 1; sets of any two
sizes are compared exactly, so that nothing is repeated or cropped. The spatial tags of section 5, which let
positions match those with the same tag only, are :meth:`pystyle.Loss.within` with a loss for each tag.
"""

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.losses import SlicedWassersteinLoss
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._layers import names
from pystyle.papers._noise import seeded_normal
from pystyle.papers.gatys_2015 import average_pooling
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Init, OptimizerFactory, Wrap

__all__ = ["criterion", "texture_synthesis"]

LAYERS = (
    "relu1_1", "relu1_2", "relu2_1", "relu2_2",
    "relu3_1", "relu3_2", "relu3_3", "relu3_4",
    "relu4_1", "relu4_2", "relu4_3", "relu4_4",
)  # fmt: skip


def criterion(
    encoder: Encoder | None = None,
    *,
    layers: str | Sequence[str] = LAYERS,
    num_directions: int | None = None,
    resample: bool = True,
    seed: int = 0,
    wrap: Wrap | None = None,
) -> Criterion:
    """The sum of the sliced Wasserstein distances of all layers, equation 8.

    Args:
        encoder: The network; that of the table if not given.
        layers: Where the features are compared.
        num_directions: Directions of each layer; as many as its channels if not given.
        resample: Draw new directions at each evaluation.
        seed: Of the directions.
        wrap: The sides beyond which the image goes on with its other side; see :class:`~pystyle.Criterion`.

    Returns:
        A criterion with the loss ``texture``, whose reference is ``style``.

    Raises:
        ValueError: If a layer is unknown or `num_directions` is not positive.

    Example:
        >>> len(criterion(vgg19(weights=None)).losses["texture"].layers)
        12
    """
    encoder = average_pooling(vgg19("caffe_normalized", padding="reflect")) if encoder is None else encoder
    layers = names(layers)
    loss = SlicedWassersteinLoss(
        layers,
        layer_weights=[1.0] * len(layers),
        num_directions=num_directions,
        resample=resample,
        seed=seed,
    )
    return Criterion(encoder, {"texture": loss}, wrap=wrap)


def texture_synthesis(
    texture: Tensor,
    *,
    encoder: Encoder | None = None,
    size: tuple[int, int] | None = None,
    init: Init | None = None,
    num_steps: int = 64 * 64,
    layers: str | Sequence[str] = LAYERS,
    num_directions: int | None = None,
    resample: bool = True,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 0,
    wrap: Wrap | None = None,
) -> Result:
    """A new image with the texture of another one.

    Args:
        texture: The texture.
        encoder: The network; see the table of the module.
        size: Height and width of the result; those of the texture if not given, the nearest that wrap.
        init: What to start from; nearly flat noise around the mean colour if not given.
        num_steps: Evaluations of the loss.
        layers: Of :func:`criterion`.
        num_directions: Of :func:`criterion`.
        resample: Draw new directions at each evaluation, as the authors do, though L-BFGS then sees another
            function at each of its steps.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of the noise and of the directions.
        wrap: ``"both"`` for a tile, which can be laid beside itself without a seam, ``"horizontal"`` for a
            band, or None as in the paper. The texture itself need not wrap.

    Returns:
        The picture, clipped to [0, 1], the history of the loss, and why the run stopped.

    Raises:
        ValueError: If an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - texture: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> texture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> result = texture_synthesis(texture, encoder=vgg19(weights=None), size=(32, 48), num_steps=1)
        >>> result.image.shape
        torch.Size([1, 3, 32, 48])
    """
    check_images({"texture": texture})
    losses = criterion(
        encoder, layers=layers, num_directions=num_directions, resample=resample, seed=seed, wrap=wrap
    )
    if init is None:
        size = size or losses.nearest_size((texture.shape[2], texture.shape[3]))
        noise = seeded_normal((1, 3, *size), seed).to(texture)
        init = texture.mean((2, 3), keepdim=True) + 0.01 * noise
    return optimize_image(
        losses,
        {"style": texture},
        init=init,
        optimizer=optimizer,
        num_steps=num_steps,
        bounds=None,
        callbacks=callbacks,
        evaluation=evaluation,
    )
