r"""Li, Wang, Liu, Hou 2017: demystifying neural style transfer.

:Paper: https://arxiv.org/abs/1701.01036
:Code: https://github.com/lyttonhao/Neural-Style-MMD/tree/a0cf46d

A style is a distribution of feature vectors f, and a style loss a distance of two distributions. With a
kernel k that is the squared maximum mean discrepancy,

.. math:: \mathcal{L}_{style}^l = \frac{1}{Z^l_k} \sum_{i,j} k(f_i, f_j) + k(s_i, s_j) - 2 k(f_i, s_j)

which for :math:`k(x, y) = (x^\top y)^2` is the Gram loss of Gatys et al. The paper tries others, and the
means and standard deviations that a batch normalisation holds:

.. math:: \mathcal{L}_{style}^l = \frac{1}{N_l} \sum_i
          (\mu_{F,i} - \mu_{S,i})^2 + (\sigma_{F,i} - \sigma_{S,i})^2

====================  =========================================  =====================================
what                  paper                                      authors' code
====================  =========================================  =====================================
network               VGG-19                                     VGG-19 as Caffe has it, average
                                                                 pooling
content               relu4_2                                    relu4_2, Σ(F - P)², weight 1
style                 relu1_1 ... relu5_1, w = 1                 the same layers
linear                :math:`x^\top y`                           γ 1000 M/N ‖Δμ‖²
polynomial            :math:`(x^\top y + c)^2`, c = 0            γ M/(40 N²) ‖Δ(G/M)‖²
Gaussian              σ² fixed; pairs drawn, linear time         2σ² = mean of ‖x - y‖²;
                                                                 γ 3e14/(4 N) MMD²
batch statistics      equation 10                                γ 500 M/N (‖Δμ‖² + ‖Δσ‖²)
γ                     5 in most figures                          5; 1 for batch statistics (``run.sh``)
total variation       --                                         gradient: 0.01/8 of the Laplacian
size                  --                                         long side 600; the style is stretched
                                                                 to the same size
init                  noise                                      uniform noise in ±0.1 of 255 levels
optimizer             --                                         SGD, momentum 0.9, gradients cut,
                                                                 at most 1000 steps
afterwards            --                                         Chambolle's denoising, 0.02
====================  =========================================  =====================================

Here N and M are the channels and positions of a layer. Sources: the paper's sections 3 to 5 (M: from
memory, check before relying on the γ of a figure); lyttonhao/Neural-Style-MMD, commit a0cf46d,
``mmd_loss.py``, ``bn_loss.py``, ``neural-style.py``, ``run.sh``. The code has gradients and hardly any
losses; the losses here are those whose gradients they are. Its ``--style-weight`` is γ, says its README.

What differs here: in the place of SGD, L-BFGS; and Adam within [0, 1] for the Gaussian kernel, whose pairs
are drawn anew at each step (an image that is optimised for held pairs fits these alone, and becomes noise).
No denoising; colours are multiplied by 255, which the authors multiply by 256.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.optim import Adam

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.losses import (
    ContentLoss,
    GramLoss,
    Loss,
    MeanLoss,
    MeanStdLoss,
    MMDLoss,
    TotalVariationLoss,
)
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._layers import names, num_channels, num_positions
from pystyle.papers._noise import seeded_uniform
from pystyle.papers.gatys_2015 import MEAN_COLOUR, average_pooling
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Init, OptimizerFactory

__all__ = ["criterion", "style_transfer"]

Statistics: TypeAlias = Literal["linear", "polynomial", "gaussian", "batch_norm"]
Fusion: TypeAlias = Statistics | Mapping[Statistics, float]

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def criterion(
    encoder: Encoder | None = None,
    *,
    statistics: Fusion = "linear",
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    style_weight: float = 5.0,
    content_weight: float = 1.0,
    smoothness: float = 1e-2,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
) -> Criterion:
    """The total loss with the weights of the authors' code.

    Args:
        encoder: The network; that of the table if not given.
        statistics: What of the distributions is compared; several with their weights, such as ``{"linear":
            0.5, "batch_norm": 0.5}``, are a fusion of styles as in the paper's last figures.
        content_layers: Where the content is compared.
        style_layers: Where the style is compared. The paper shows what each layer alone reconstructs.
        style_weight: γ, which a figure varies.
        content_weight: Factor of the content loss.
        smoothness: The strength of the total variation.
        size: Height and width of the image in pixels, on which the weights of sums over positions depend.
        seed: Of the pairs of the Gaussian kernel.

    Returns:
        A criterion with the losses ``content``, ``style`` and ``smoothness``. Of several statistics the
        losses are called ``style_<statistics>``.

    Raises:
        ValueError: If `statistics` or a layer is unknown, or there are none.

    Example:
        >>> criterion(vgg19(weights=None), statistics="gaussian", size=(32, 32)).losses["style"].kernel
        'gaussian'
    """
    encoder = average_pooling(vgg19()) if encoder is None else encoder
    content_layers, style_layers = names(content_layers), names(style_layers)
    channels = num_channels(encoder, content_layers)
    positions = num_positions(encoder, content_layers, size)
    content_weights = [content_weight * n * m for n, m in zip(channels, positions, strict=True)]
    losses: dict[str, Loss] = {"content": ContentLoss(content_layers, layer_weights=content_weights)}
    if isinstance(statistics, str):
        losses["style"] = _style_loss(encoder, statistics, style_layers, style_weight, size, seed)
    else:
        if not statistics:
            raise ValueError("`statistics` must name at least one, got none.")
        for each, share in statistics.items():
            losses[f"style_{each}"] = _style_loss(
                encoder, each, style_layers, share * style_weight, size, seed
            )
    # A gradient of s/8 times the Laplacian is that of s/16 of the sum of squares, in levels of 0 ... 255.
    variation = smoothness / 16 * 255**2 * 3 * (size[0] - 1) * (size[1] - 1)
    return Criterion(encoder, {**losses, "smoothness": TotalVariationLoss(weight=variation)})


def _style_loss(
    encoder: Encoder,
    statistics: Statistics,
    layers: Sequence[str],
    weight: float,
    size: tuple[int, int],
    seed: int,
) -> Loss:
    """The style loss of one kernel with the weights of the code."""
    positions = num_positions(encoder, layers, size)
    if statistics == "linear":
        return MeanLoss(layers, layer_weights=[1e3 * m for m in positions], weight=weight)
    if statistics == "polynomial":
        return GramLoss(layers, layer_weights=[m / 40 for m in positions], weight=weight)
    if statistics == "gaussian":
        weights = [3e14 / (4 * n) for n in num_channels(encoder, layers)]
        return MMDLoss(layers, layer_weights=weights, weight=weight, resample=True, seed=seed)
    if statistics == "batch_norm":
        # MeanStdLoss is the mean over means and deviations together, half of the sum of both means.
        return MeanStdLoss(layers, layer_weights=[1e3 * m for m in positions], weight=weight)
    raise ValueError(
        f"`statistics` must be 'linear', 'polynomial', 'gaussian' or 'batch_norm', got {statistics!r}."
    )


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    statistics: Fusion = "linear",
    edge_size: int = 600,
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    style_weight: float = 5.0,
    content_weight: float = 1.0,
    smoothness: float = 1e-2,
    init: Init | None = None,
    num_steps: int = 1000,
    optimizer: OptimizerFactory | None = None,
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 0,
) -> Result:
    """A photograph in the style of a painting.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size; it is stretched to the size of the photograph.
        encoder: The network; see the table of the module.
        statistics: Of :func:`criterion`.
        edge_size: The long side of the result in pixels.
        content_layers: Of :func:`criterion`.
        style_layers: Of :func:`criterion`.
        style_weight: γ.
        content_weight: Of :func:`criterion`.
        smoothness: Of :func:`criterion`.
        init: What to start from; the noise of the table if not given.
        num_steps: Steps of the optimizer.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one; L-BFGS with 100
            pairs, or Adam with 0.02 for the Gaussian kernel, if not given.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of the noise and of the pairs of the Gaussian kernel.

    Returns:
        The picture in [0, 1], the history of the losses, and why the run stopped.

    Raises:
        ValueError: If `statistics` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> photo, painting = torch.rand(1, 3, 40, 32), torch.rand(1, 3, 48, 64)
        >>> style_transfer(
        ...     photo, painting, encoder=vgg19(weights=None), edge_size=40, num_steps=2
        ... ).image.shape
        torch.Size([1, 3, 40, 32])
    """
    check_images({"content": content, "style": style})
    content = resize(content, edge_size, edge="long")
    size = (content.shape[2], content.shape[3])
    if init is None:
        noise = seeded_uniform(content.shape, seed).to(content)
        mean = torch.tensor(MEAN_COLOUR, dtype=torch.float32, device="cpu").reshape(1, 3, 1, 1).to(content)
        init = mean + 0.1 * (2 * noise - 1) / 255
    random = statistics == "gaussian" or (not isinstance(statistics, str) and "gaussian" in statistics)
    if optimizer is None:
        optimizer = partial(Adam, lr=0.02) if random else partial(LBFGS, history_size=100, initial_step=None)
    return optimize_image(
        criterion(
            encoder, statistics=statistics, content_layers=content_layers, style_layers=style_layers,
            style_weight=style_weight, content_weight=content_weight, smoothness=smoothness, size=size,
            seed=seed,
        ),
        {"content": content, "style": resize(style, size)},
        init=init,
        optimizer=optimizer,
        num_steps=num_steps,
        bounds=(0.0, 1.0) if random else None,
        callbacks=callbacks,
        evaluation=evaluation,
    )  # fmt: skip
