r"""Gatys, Ecker, Bethge 2015: texture synthesis with Gram matrices.

:Paper: https://arxiv.org/abs/1505.07376
:Code: https://github.com/leongatys/DeepTextures/tree/289dfe6

The paper minimises, over the image alone,

.. math:: \mathcal{L} = \sum_l w_l E_l \qquad
          E_l = \frac{1}{4 N_l^2 M_l^2} \sum_{ij} (G^l_{ij} - \hat G^l_{ij})^2 \qquad
          G^l_{ij} = \sum_k F^l_{ik} F^l_{jk}

======================  =====================================  ==========================================
what                    paper                                  authors' code
======================  =====================================  ==========================================
network                 VGG-19, mean activations of 1,         the same
                        average pooling (section 2)
layers                  conv1_1, pool1 ... pool4 (figure 2)    the same; conv1_1 after its ReLU
weights w               not given                              1e9 each
form of E               equation 4                             1/4 ⟨(ΔG/M)²⟩, the same number
size of the texture     256 x 256                              an area of 256²
init                    white noise                            standard normal, in levels of 0 ... 255
                                                               around the mean colour of ImageNet
optimizer               L-BFGS                                 SciPy's L-BFGS-B, 20 pairs, 2000 steps,
                                                               bounds: darkest and brightest value
                                                               of the texture
afterwards              nothing                                histograms of the colours matched
======================  =====================================  ==========================================

Sources: the paper's equations 1 to 5 and section 2; leongatys/DeepTextures, commit 289dfe6,
``DeepImageSynthesis/LossFunctions.py`` and ``Example.ipynb``.

What differs here: the steps are those of :class:`pystyle.optim.LBFGS`, which has no line search; the
bounds are those of the three colours together, in RGB; the normalised weights are rescaled from the Caffe
network by activations that we measured, on other pictures than the authors.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from pystyle.colors import match_colors
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, ScaledAveragePool2d, SequentialEncoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.losses import GramLoss
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._layers import names
from pystyle.papers._variants import Variant, check_variant
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Init, OptimizerFactory

__all__ = ["average_pooling", "criterion", "normal_noise", "texture_synthesis"]

LAYERS = ("relu1_1", "pool1", "pool2", "pool3", "pool4")
MEAN_COLOUR = (123.68 / 255, 116.779 / 255, 103.939 / 255)


def average_pooling(encoder: SequentialEncoder) -> SequentialEncoder:
    """The encoder with plain averages of 2 x 2 positions in the place of its poolings.

    ``vgg19(pooling="average")`` would multiply them by a factor; the paper does not.

    Args:
        encoder: A VGG. It shares its convolutions with the result.

    Returns:
        Another encoder with the same layers.

    Example:
        >>> average_pooling(vgg19(weights=None)).stages["pool1"]
        ScaledAveragePool2d(kernel_size=2, stride=2, scale=1.0)
    """
    stages = {
        name: ScaledAveragePool2d(2, stride=2, scale=1.0) if name.startswith("pool") else module
        for name, module in encoder.stages.items()
    }
    return SequentialEncoder(stages, preprocessing=encoder.preprocessing)


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    layers: str | Sequence[str] = LAYERS,
    layer_weight: float | None = None,
) -> Criterion:
    """The loss of the texture, equation 5.

    Args:
        encoder: The network; that of the table if not given.
        variant: Whose weights.
        layers: Where the Gram matrices are compared. Figure 2 takes the first, the first two, ..., all of
            them.
        layer_weight: The weight w of every layer; 1 for the paper, which gives none, and 1e9 for the code
            if not given.

    Returns:
        A criterion with the loss ``texture``, whose reference is ``style``.

    Raises:
        ValueError: If `variant` or a layer is unknown.

    Example:
        >>> criterion(vgg19(weights=None), variant="paper").losses["texture"].layer_weights["pool4"]
        0.25
    """
    check_variant(variant)
    if encoder is None:
        encoder = average_pooling(vgg19("caffe_normalized"))
    if layer_weight is None:
        layer_weight = 1e9 if variant == "code" else 1.0
    # Σ(ΔG)² / (4 N² M²) is a quarter of the mean over the N² entries of (ΔG / M)².
    layers = names(layers)
    return Criterion(encoder, {"texture": GramLoss(layers, layer_weights=[layer_weight / 4] * len(layers))})


def texture_synthesis(
    texture: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    layers: str | Sequence[str] = LAYERS,
    size: tuple[int, int] | None = None,
    init: Init | None = None,
    num_steps: int = 2000,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=20, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int | None = 0,
) -> Result:
    """A new image with the texture of another one.

    Args:
        texture: The texture, of about 256 x 256 pixels.
        encoder: The network; see the table of the module.
        variant: Whether the weights are those of the paper or the code, and with ``"code"`` the histograms
            of the colours are matched in the end, as in the notebook and not in the figures of the paper.
        layers: Of :func:`criterion`.
        size: Height and width of the result; those of the texture if not given.
        init: What to start from in the place of the noise of the table.
        num_steps: Steps of the optimizer.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of the noise; None for another one each time.

    Returns:
        The picture and the history of the loss, which is that before the histograms are matched.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - texture: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> texture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> result = texture_synthesis(texture, encoder=vgg19(weights=None), size=(32, 48), num_steps=2)
        >>> result.image.shape
        torch.Size([1, 3, 32, 48])
    """
    check_images({"texture": texture})
    size = size or (texture.shape[2], texture.shape[3])
    low, high = float(texture.min()), float(texture.max())
    result = optimize_image(
        criterion(encoder, variant=variant, layers=layers),
        {"style": texture},
        init=normal_noise(size, like=texture, seed=seed) if init is None else init,
        optimizer=optimizer,
        num_steps=num_steps,
        # A texture of a single colour has one value, which is no interval.
        bounds=(low, max(high, low + 1 / 255)),
        callbacks=callbacks,
        evaluation=evaluation,
        seed=seed,
    )
    if variant == "paper":
        return result
    return replace(result, image=match_colors(result.image, texture, method="histogram"))


def normal_noise(size: tuple[int, int], *, like: Tensor, seed: int | None = 0) -> Tensor:
    """Standard normal noise as the authors start from: levels of 0 ... 255 around the mean colour.

    It is nearly flat, because they draw it in the units of the network's input.

    Args:
        size: Height and width.
        like: A tensor of the wanted type and device.
        seed: Of the noise; None for another one each time.

    Returns:
        A new image.

    Shape:
        - output: (1, 3, height, width), RGB near (0.49, 0.46, 0.41)

    Example:
        >>> noise = normal_noise((64, 64), like=torch.zeros(()), seed=0)
        >>> noise.mean((0, 2, 3)).round(decimals=1), noise.std(dim=(0, 2, 3)).mul(255).round()
        (tensor([0.5000, 0.5000, 0.4000]), tensor([1., 1., 1.]))
    """
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    mean = torch.tensor(MEAN_COLOUR).reshape(1, 3, 1, 1)
    return (mean + torch.randn(1, 3, *size, generator=generator) / 255).to(like)
