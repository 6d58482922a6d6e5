r"""Mechrez, Talmi, Zelnik-Manor 2018: the contextual loss for image transformation with non-aligned data.

:Paper: https://arxiv.org/abs/1803.02077
:Code: https://github.com/roimehrez/contextualLoss/tree/863af53

.. math:: \mathcal{L}(x, y) = -\log \operatorname{CX}(\Phi^l(x), \Phi^l(y)) \qquad
          \operatorname{CX} = \frac1N \sum_j \max_i \frac{w_{ij}}{\sum_k w_{ik}}

====================  =====================================  ============================================
what                  paper, section 5.1                     authors' code
====================  =====================================  ============================================
network               VGG-19                                 VGG-19 as Caffe has it (.mat), max pooling
style                 conv3_2, conv4_2; h = 0.2              conv3_2, conv4_2 (its "target"); h = 0.5
content               conv4_2, also by CX; h = 0.1           conv4_2 (its "source"); h = 0.5
weights               --                                     1 each
distances             1 - cos                                (1 - cos) / 2
features              --                                     65² of each layer at random
optimizer, size       --; here Adam, 5 of 255 levels long,   --: the published program animates single
                      300 steps; 256 pixels                  images by a network
smoothness            --; here 1e-4 times the mean squared   --
                      differences of levels up to 255
====================  =====================================  ============================================

Sources: the paper's equations 1 to 5, its h from memory (check before relying on it);
roimehrez/contextualLoss, commit 863af53, ``CX/CSFlow.py`` and ``config.py`` (where 0.1 stands beside 0.5 as
a comment). Layers are taken after their ReLU.

Steps, optimizer and smoothness are what an author gave as the numbers of style transfer, asked about a
program in which TV is as above (issue 2 of that repository, May 2018). Without the smoothness the picture is
covered with coloured dots. He also gave: h = 0.1; a weight of 0.5 for the content; relu2_1, relu3_1 and
relu4_1 for the style, divided by their channels and joined at each position. These are not taken, for they
differ from the paper.

What differs here: all positions count; the halved distances of the code only make its ε of 1e-5 count
twice, and are left out. The size is ours.

Compute it in float32, as it is unless `evaluation` says otherwise: in bfloat16 features are rounded by more
than the differences that matches are told by, and the image becomes noise.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.losses import ContextualLoss, TotalVariationLoss
from pystyle.papers._images import check_images
from pystyle.papers._layers import names
from pystyle.papers._variants import Variant
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Init, OptimizerFactory

__all__ = ["criterion", "style_transfer"]

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu3_2", "relu4_2")
BANDWIDTHS = {"paper": (0.1, 0.2), "code": (0.5, 0.5)}
"""The h of the content and of the style."""
SMOOTHNESS_WEIGHT = 1e-4 * 255**2


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "paper",
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1.0,
    content_bandwidth: float | None = None,
    style_bandwidth: float | None = None,
    smoothness: float = SMOOTHNESS_WEIGHT,
) -> Criterion:
    """Contextual losses to the content and to the style, equation 5, and the total variation.

    Args:
        encoder: The network; that of the table if not given.
        variant: Whose bandwidths. The paper is the default, for its code is that of another application.
        content_layers: Where the content is compared.
        style_layers: Where the style is compared.
        content_weight: Factor of the content loss.
        style_weight: Factor of the style losses.
        content_bandwidth: The h of the content; that of the table if not given.
        style_bandwidth: The h of the style; that of the table if not given.
        smoothness: Factor of the total variation; 0 for equation 5 alone.

    Returns:
        A criterion with the losses ``content``, ``style`` and ``smoothness``.

    Raises:
        ValueError: If `variant` or a layer is unknown, or a bandwidth is not positive.

    Example:
        >>> criterion(vgg19(weights=None)).losses["style"]
        ContextualLoss(['relu3_2', 'relu4_2'], layer_weights=[1.0, 1.0], bandwidth=0.2)
    """
    if variant not in BANDWIDTHS:
        raise ValueError(f"`variant` must be 'paper' or 'code', got {variant!r}.")
    encoder = vgg19() if encoder is None else encoder
    of_content, of_style = BANDWIDTHS[variant]
    content_layers, style_layers = names(content_layers), names(style_layers)
    return Criterion(
        encoder,
        {
            "content": ContextualLoss(
                content_layers,
                reference="content",
                layer_weights=[1.0] * len(content_layers),
                weight=content_weight,
                bandwidth=of_content if content_bandwidth is None else content_bandwidth,
            ),
            "style": ContextualLoss(
                style_layers,
                layer_weights=[1.0] * len(style_layers),
                weight=style_weight,
                bandwidth=of_style if style_bandwidth is None else style_bandwidth,
            ),
            "smoothness": TotalVariationLoss(variant="anisotropic", weight=smoothness),
        },
    )


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "paper",
    edge_size: int = 256,
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1.0,
    content_bandwidth: float | None = None,
    style_bandwidth: float | None = None,
    smoothness: float = SMOOTHNESS_WEIGHT,
    init: Init = "content",
    num_steps: int = 300,
    optimizer: OptimizerFactory = partial(torch.optim.Adam, lr=5 / 255),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int | None = None,
) -> Result:
    """A photograph in the style of a painting, without aligned regions and without statistics.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: Whose bandwidths.
        edge_size: The short side of both images in pixels. The time grows with its fourth power.
        content_layers: Of :func:`criterion`.
        style_layers: Of :func:`criterion`.
        content_weight: Factor of the content loss.
        style_weight: Factor of the style losses.
        content_bandwidth: Of :func:`criterion`.
        style_bandwidth: Of :func:`criterion`.
        smoothness: Of :func:`criterion`.
        init: What to start from; see :func:`~pystyle.optimize_image`.
        num_steps: Steps of the optimizer.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of noise to start from.

    Returns:
        The picture, the history of the losses, and why the run stopped.

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
    check_images({"content": content, "style": style})
    return optimize_image(
        criterion(
            encoder, variant=variant, content_layers=content_layers, style_layers=style_layers,
            content_weight=content_weight, style_weight=style_weight, content_bandwidth=content_bandwidth,
            style_bandwidth=style_bandwidth, smoothness=smoothness,
        ),
        {"content": resize(content, edge_size), "style": resize(style, edge_size)},
        init=init,
        optimizer=optimizer,
        num_steps=num_steps,
        callbacks=callbacks,
        evaluation=evaluation,
        seed=seed,
    )  # fmt: skip
