r"""Gatys, Ecker, Bethge 2016: image style transfer with convolutional neural networks.

.. math:: \mathcal{L} = \alpha \cdot \frac12 \sum_{ij} (F^l_{ij} - P^l_{ij})^2
          + \beta \sum_l w_l \frac{1}{4 N_l^2 M_l^2} \sum_{ij} (G^l_{ij} - A^l_{ij})^2

=================  ===========================  ===========================  ===========================
what               ``"paper"``                  ``"code"``                   ``"torch"``
=================  ===========================  ===========================  ===========================
network            VGG-19, mean activations     VGG-19 as Caffe has it,      as ``"code"`` (its notebook
                   of 1, average pooling        max pooling                  has the normalised one, too)
content            relu4_2, ½ Σ(F - P)² (eq.    relu4_2, ⟨(F - P)²⟩,         as ``"code"``
                   1), α                        weight 1
style              relu1_1 ... relu5_1, E (eq.  the same layers,             as ``"code"``
                   4), w = 1/5, β               ⟨(G/M - A/M)²⟩, weights
                                                1000 / N²
ratio              α/β = 1e-3; 8e-4 (Starry     --                           --
                   Night), 5e-3, 5e-4 (fig. 3)
size               about 512; the style has     short side 512, rounded      area of 512², rounded up
                   that of the content          down
resampling         not given                    bilinear, antialiased        Gaussian, then linear
init               white noise                  content                      content
optimizer          L-BFGS                       torch's L-BFGS, 100 pairs,   its L-BFGS, 100 pairs,
                                                500 evaluations              500 evaluations
second stage       --                           short side 800, 200          area of 1024², 200
                                                evaluations                  evaluations
afterwards         --                           clipped to [0, 1]            clipped to [0, 1]
=================  ===========================  ===========================  ===========================

So the code weighs a layer by 4000 / N² of the paper's E: relu1_1 counts 64 times as much against relu5_1.

Sources: the paper's equations 1 to 7 and figure 3; ``"code"`` is leongatys/PytorchNeuralStyleTransfer,
commit be6c8e2, ``NeuralStyleTransfer.ipynb``; ``"torch"`` is leongatys/NeuralImageSynthesis, commit
cced0b9, ``BasicStyleTransfer.ipynb``. With normalised weights the latter takes 1e6 for the content and 1e9
/ 5 for each layer of the style. The ratios of the paper are as pystiche's authors quote them.

What differs here: :class:`pystyle.optim.LBFGS` makes the steps of torch's up to the note there; images are
resampled bilinearly, antialiased; the paper gives no number of steps.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal, TypeAlias

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.losses import ContentLoss, MultiLayerGramLoss
from pystyle.optim import LBFGS
from pystyle.papers.gatys_2015 import average_pooling, normal_noise
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Init, OptimizerFactory

__all__ = ["criterion", "high_resolution", "style_transfer", "working_sizes"]

Variant: TypeAlias = Literal["paper", "code", "torch"]

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CHANNELS = (64, 128, 256, 512, 512)


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    content_weight: float = 1.0,
    style_weight: float = 1e3,
    size: tuple[int, int] = (512, 512),
) -> Criterion:
    """The total loss, equation 7.

    Args:
        encoder: The network; that of the table if not given.
        variant: Whose losses.
        content_weight: α.
        style_weight: β of the paper; what is divided by N² in the code.
        size: Height and width of the image in pixels. Only the paper's content loss depends on it, since it
            is a sum over positions.

    Returns:
        A criterion with the losses ``content`` and ``style``.

    Raises:
        ValueError: If `variant` is unknown.

    Example:
        >>> style = criterion(vgg19(weights=None)).losses["style"]
        >>> [round(weight, 6) for weight in style.layer_weights.values()]
        [0.244141, 0.061035, 0.015259, 0.003815, 0.003815]
        >>> criterion(vgg19(weights=None), variant="paper", size=(32, 32)).losses["content"]
        ContentLoss('relu4_2', weight=4096)
    """
    _check(variant)
    if variant == "paper":
        encoder = average_pooling(vgg19("caffe_normalized")) if encoder is None else encoder
        # ½ Σ over N M values is N M / 2 times the mean; Σ(ΔG)² / (4 N² M²) is ¼ of the mean of (ΔG / M)².
        num_values = CHANNELS[3] * math.prod(side // encoder.stride(CONTENT_LAYER) for side in size)
        content = ContentLoss(CONTENT_LAYER, weight=content_weight * num_values / 2)
        style = MultiLayerGramLoss(STYLE_LAYERS, [1 / 5 / 4] * 5, weight=style_weight)
    else:
        encoder = vgg19() if encoder is None else encoder
        content = ContentLoss(CONTENT_LAYER, weight=content_weight)
        style = MultiLayerGramLoss(STYLE_LAYERS, [style_weight / n**2 for n in CHANNELS])
    return Criterion(encoder, {"content": content, "style": style})


def working_sizes(
    content: Tensor, style: Tensor, *, variant: Variant = "code", edge_size: int = 512
) -> tuple[Tensor, Tensor]:
    """Content and style at the sizes at which they are compared.

    Args:
        content: The photograph.
        style: The painting.
        variant: Whose rule; see the table of the module.
        edge_size: The short side, or with ``"torch"`` the root of the area, in pixels.

    Returns:
        Both images, resampled bilinearly.

    Raises:
        ValueError: If `variant` is unknown.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> content, style = torch.zeros(1, 3, 768, 1024), torch.zeros(1, 3, 768, 970)
        >>> [tuple(image.shape[2:]) for image in working_sizes(content, style)]
        [(512, 682), (512, 646)]
        >>> [tuple(image.shape[2:]) for image in working_sizes(content, style, variant="torch")]
        [(444, 592), (456, 576)]
    """
    _check(variant)
    size = _by_area(content, edge_size) if variant == "torch" else _by_short_side(content, edge_size)
    other = {"paper": size, "code": _by_short_side(style, edge_size), "torch": _by_area(style, edge_size)}
    return (
        resize(content, size, interpolation="bilinear"),
        resize(style, other[variant], interpolation="bilinear"),
    )


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    edge_size: int = 512,
    content_weight: float = 1.0,
    style_weight: float = 1e3,
    init: Init | None = None,
    num_steps: int = 500,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int | None = 0,
) -> Result:
    """A photograph in the style of a painting.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: The paper, the authors' PyTorch code, or their Torch code.
        edge_size: The size of the result; see :func:`working_sizes`.
        content_weight: α of :func:`criterion`.
        style_weight: β of :func:`criterion`.
        init: What to start from; noise for the paper and the content for the code if not given.
        num_steps: Evaluations of the loss.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of the noise; None for another one each time.

    Returns:
        The picture, clipped to [0, 1], the history of the losses, and why the run stopped. Nothing keeps
        the pixels in [0, 1] during the run.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 40, 32), torch.rand(1, 3, 48, 64)
        >>> style_transfer(
        ...     photo, painting, encoder=vgg19(weights=None), edge_size=32, num_steps=2
        ... ).image.shape
        torch.Size([1, 3, 40, 32])
    """
    content, style = working_sizes(content, style, variant=variant, edge_size=edge_size)
    size = (content.shape[2], content.shape[3])
    if init is None:
        init = normal_noise(size, like=content, seed=seed) if variant == "paper" else "content"
    return optimize_image(
        criterion(
            encoder, variant=variant, content_weight=content_weight, style_weight=style_weight, size=size
        ),
        {"content": content, "style": style},
        init=init,
        optimizer=optimizer,
        num_steps=num_steps,
        bounds=None,
        callbacks=callbacks,
        evaluation=evaluation,
        seed=seed,
    )


def high_resolution(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Literal["code", "torch"] = "code",
    edge_sizes: tuple[int, int] | None = None,
    num_steps: tuple[int, int] = (500, 200),
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> tuple[Result, Result]:
    """Two runs, the second one larger and begun with the enlarged picture of the first.

    At a large size alone, the losses see only small structures of the style.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: The authors' PyTorch code or their Torch code.
        edge_sizes: Of both runs; (512, 800) for ``"code"`` and (512, 1024) for ``"torch"`` if not given.
        num_steps: Evaluations of the loss in both runs.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of both runs.
        evaluation: How the gradient is computed.

    Returns:
        The results of the first and of the second run.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 64, 48), torch.rand(1, 3, 48, 64)
        >>> coarse, fine = high_resolution(
        ...     photo, painting, encoder=vgg19(weights=None), edge_sizes=(32, 48), num_steps=(1, 1)
        ... )
        >>> coarse.image.shape[2:], fine.image.shape[2:]
        (torch.Size([42, 32]), torch.Size([64, 48]))
    """
    edge_sizes = edge_sizes or (512, 800 if variant == "code" else 1024)
    encoder = vgg19() if encoder is None else encoder
    coarse = style_transfer(
        content, style, encoder=encoder, variant=variant, edge_size=edge_sizes[0], num_steps=num_steps[0],
        optimizer=optimizer, callbacks=callbacks, evaluation=evaluation,
    )  # fmt: skip
    large, _ = working_sizes(content, style, variant=variant, edge_size=edge_sizes[1])
    enlarged = resize(coarse.image, (large.shape[2], large.shape[3]), interpolation="bilinear")
    fine = style_transfer(
        content, style, encoder=encoder, variant=variant, edge_size=edge_sizes[1], num_steps=num_steps[1],
        init=enlarged, optimizer=optimizer, callbacks=callbacks, evaluation=evaluation,
    )  # fmt: skip
    return coarse, fine


def _by_short_side(image: Tensor, edge_size: int) -> tuple[int, int]:
    height, width = image.shape[2:]
    short = min(height, width)
    # torchvision rounds down, `resize` to the nearest.
    return edge_size * height // short, edge_size * width // short


def _by_area(image: Tensor, edge_size: int) -> tuple[int, int]:
    height, width = image.shape[2:]
    factor = edge_size / math.sqrt(height * width)
    return math.ceil(height * factor), math.ceil(width * factor)


def _check(variant: str) -> None:
    if variant not in ("paper", "code", "torch"):
        raise ValueError(f"`variant` must be 'paper', 'code' or 'torch', got {variant!r}.")
