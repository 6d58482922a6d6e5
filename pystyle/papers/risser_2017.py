r"""Risser, Wilmot, Barnes 2017: stable texture synthesis with histogram losses.

:Paper: https://arxiv.org/abs/1701.08893
:Code: https://github.com/pierre-wilmot/NeuralTextureSynthesis/tree/cd2f509

Gram matrices do not hold the contrast: features may be weaker on average and vary more. So

.. math:: \mathcal{L}_{histogram} = \sum_l \gamma_l \left\| O_l - R(O_l) \right\|^2

is added, in which R gives each channel of the features O the histogram that it has in the texture. R
counts as a constant.

====================  =======================================  ==========================================
what                  paper                                    a co-author's code
====================  =======================================  ==========================================
network               VGG-19                                   VGG-19 of torchvision, max pooling
Gram layers           one of each block                        relu1_1 ... relu5_1, ⟨(ΔG)²⟩ of sums over
                                                               positions, weight 1
histogram layers      relu1_1 and relu4_1                      relu1_1 ... relu5_1, ⟨(O - R(O))²⟩, weights
                                                               2e9, 5e8, 1e8, 3.5e7, 3.5e7
histograms            of 256 bins                              of 256 bins
total variation       yes                                      none
weights               balanced automatically by the size       fixed
                      of the gradients
levels                a pyramid                                1/4, 1/2 and 1 of the size
init                  noise                                    standard normal, in units of the network's
                                                               input; later levels by nearest pixels
optimizer             L-BFGS                                   Adam, 0.05, 1000 steps at each level
====================  =======================================  ==========================================

Sources: the paper's sections 4 and 5, as its co-author's README contrasts them with the code;
pierre-wilmot/NeuralTextureSynthesis, commit cd2f509. Only the code can be reproduced, for the paper gives
no weights; so there is no `variant`.

What differs here: histograms are matched exactly, by sorting, which is the limit of many bins.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.optim import Adam

from pystyle._arguments import numbers
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.losses import GramLoss, HistogramLoss, Loss, TotalVariationLoss
from pystyle.papers._images import check_images
from pystyle.papers._layers import names, num_positions
from pystyle.papers._noise import seeded_normal
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import OptimizerFactory, Wrap

__all__ = ["criterion", "texture_synthesis"]

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
HISTOGRAM_WEIGHTS = (2e9, 5e8, 1e8, 3.5e7, 3.5e7)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def criterion(
    encoder: Encoder | None = None,
    *,
    size: tuple[int, int] = (256, 256),
    gram_layers: str | Sequence[str] = LAYERS,
    histogram_layers: str | Sequence[str] = LAYERS,
    gram_weight: float = 1.0,
    histogram_weights: Sequence[float] | None = None,
    smoothness: float = 0.0,
    wrap: Wrap | None = None,
) -> Criterion:
    """The Gram and histogram losses of the code.

    Args:
        encoder: The network; that of the table if not given.
        size: Height and width of the image in pixels, on which the weight of a bare sum over positions
            depends.
        gram_layers: Where the Gram matrices are compared.
        histogram_layers: Where the histograms are compared; the paper takes relu1_1 and relu4_1.
        gram_weight: Factor of the Gram losses.
        histogram_weights: Factor of the histogram loss of each layer; those of the table if not given. Zeros
            give the Gram result, with which the paper compares its own.
        smoothness: Factor of the mean squared gradient of the image. The paper has such a term, without its
            weight; the code has none.
        wrap: The sides beyond which the image goes on with its other side; see :class:`~pystyle.Criterion`.

    Returns:
        A criterion with the losses ``gram`` and ``histogram``, whose reference is ``style``, and with
        `smoothness` that of this name.

    Raises:
        ValueError: If a layer is unknown, there is not one weight for each of `histogram_layers`, or the
            table has none for one of them.

    Example:
        >>> criterion(vgg19(weights=None), size=(32, 32)).losses["gram"].layer_weights["relu5_1"]
        16.0
    """
    encoder = vgg19("torchvision") if encoder is None else encoder
    gram_layers, histogram_layers = names(gram_layers), names(histogram_layers)
    if histogram_weights is None:
        if not set(histogram_layers) <= set(LAYERS):
            raise ValueError(
                f"`histogram_weights` must be given for other `histogram_layers` than {LAYERS}, for which "
                f"the code has weights, got {histogram_layers}."
            )
        histogram_weights = [HISTOGRAM_WEIGHTS[LAYERS.index(layer)] for layer in histogram_layers]
    # The matrix of sums is M times that of means, and its square M² times.
    gram_weights = [float(m**2) for m in num_positions(encoder, gram_layers, size)]
    losses: dict[str, Loss] = {
        "gram": GramLoss(gram_layers, layer_weights=gram_weights, weight=gram_weight),
        "histogram": HistogramLoss(histogram_layers, layer_weights=histogram_weights),
    }
    if smoothness:
        losses["smoothness"] = TotalVariationLoss(weight=smoothness)
    return Criterion(encoder, losses, wrap=wrap)


def texture_synthesis(
    texture: Tensor,
    *,
    encoder: Encoder | None = None,
    scales: tuple[float, ...] = (0.25, 0.5, 1.0),
    num_steps: int = 1000,
    gram_layers: str | Sequence[str] = LAYERS,
    histogram_layers: str | Sequence[str] = LAYERS,
    gram_weight: float = 1.0,
    histogram_weights: Sequence[float] | None = None,
    smoothness: float = 0.0,
    optimizer: OptimizerFactory = partial(Adam, lr=0.05),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 0,
    wrap: Wrap | None = None,
) -> list[Result]:
    """A new image with the texture of another one, from coarse to fine.

    Args:
        texture: The texture; the image gets its size. The code takes 512 x 512 pixels.
        encoder: The network; see the table of the module.
        scales: The sizes of the levels relative to the texture.
        num_steps: Steps of the optimizer at each level.
        gram_layers: Of :func:`criterion`.
        histogram_layers: Of :func:`criterion`.
        gram_weight: Factor of the Gram losses.
        histogram_weights: Factor of the histogram loss of each layer.
        smoothness: Of :func:`criterion`.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one. The code's pixels
            are in units of the network's input, a deviation of about 1; its step of 0.05 is 0.011 here.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.
        seed: Of the noise.
        wrap: ``"both"`` for a tile, which can be laid beside itself without a seam, ``"horizontal"`` for a
            band, or None as in the paper. Sides that wrap are rounded to multiples of the stride of the
            deepest layer. The texture itself need not wrap.

    Returns:
        The result of each level; the last has the picture, clipped to [0, 1]. One that diverged or was
        interrupted is the last.

    Raises:
        ValueError: If there are no `scales`, one is not positive, or an argument of
            :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - texture: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> texture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> levels = texture_synthesis(texture, encoder=vgg19(weights=None), scales=(0.5, 1.0), num_steps=1)
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(32, 32), (64, 64)]
    """
    check_images({"texture": texture})
    losses = partial(
        criterion, vgg19("torchvision") if encoder is None else encoder, gram_layers=gram_layers,
        histogram_layers=histogram_layers, gram_weight=gram_weight, histogram_weights=histogram_weights,
        smoothness=smoothness, wrap=wrap,
    )  # fmt: skip
    scales = numbers(scales, "`scales`", above=0)
    if not scales:
        raise ValueError("`scales` must have the size of one level at least, such as (0.5, 1.0), got none.")
    height, width = texture.shape[2:]
    textures = [(round(scale * height), round(scale * width)) for scale in scales]
    nearest_size = losses().nearest_size
    sizes = [nearest_size(size) for size in textures]
    mean, std = (
        torch.tensor(value, dtype=torch.float32, device="cpu").reshape(1, 3, 1, 1)
        for value in (IMAGENET_MEAN, IMAGENET_STD)
    )
    noise = seeded_normal((1, 3, *sizes[0]), seed)
    image, results = (mean + std * noise).to(texture), list[Result]()
    for size, texture_size in zip(sizes, textures, strict=True):
        results.append(
            optimize_image(
                losses(size=size),
                {"style": resize(texture, texture_size)},
                init=interpolate(image, size, mode="nearest"),
                optimizer=optimizer,
                num_steps=num_steps,
                bounds=None,
                callbacks=callbacks,
                evaluation=evaluation,
            )
        )
        if results[-1].failed:
            break
        image = results[-1].image
    return results
