"""Katherine Crowson's style-transfer-pytorch, 2022: not a paper, but a recipe that people know by its
pictures.

:Code: https://github.com/crowsonkb/style-transfer-pytorch

====================  ====================================================================================
what                  code
====================  ====================================================================================
network               VGG-19 of torchvision, max pooling; the first convolution replicates the border
content               relu4_2, ⟨(F - P)²⟩, weight 0.015
style                 relu1_1 ... relu5_1, squared Wasserstein-2 distance of Gaussians, divided by the
                      number of channels; weights 256, 64, 16, 4, 1 divided by their sum
smoothness            squared differences to all eight neighbours, weight 2
levels                long sides that grow by √2 from 128 to 512; content and style have the same
init                  content, then the enlarged average; the moments of Adam are enlarged with it
optimizer             Adam, 0.02, (0.9, 0.99); 1000 steps at the first level, 500 at each other
bounds                the image is clamped to [0, 1] after each step
result                average of the iterates with decay 0.99, anew at each level
====================  ====================================================================================

Source: crowsonkb/style-transfer-pytorch, ``style_transfer/style_transfer.py`` and ``cli.py``.

What differs here: the distance is computed exactly on CPUs, where hers takes twelve iterations for a root
(at 128 pixels her loss is 9 % from it), with another ridge (see :class:`pystyle.WassersteinLoss`); sizes
are those of the short side, of content and style alike, and a small painting is enlarged, too.

The weights are for torchvision's network. The Caffe network, which comes with pip, has features forty to
several hundred times as large; ``network="caffe"`` divides by the squares of these ratios.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Adam

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, SequentialEncoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.losses import ContentLoss, TotalVariationLoss, WassersteinLoss
from pystyle.papers._images import check_images
from pystyle.pyramid import Pyramid
from pystyle.runner import Callback, Result
from pystyle.typing import Init, OptimizerFactory

__all__ = ["criterion", "replicating_first_convolution", "style_transfer"]

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_WEIGHT = 0.015
STYLE_WEIGHTS = (256 / 341, 64 / 341, 16 / 341, 4 / 341, 1 / 341)
SMOOTHNESS_WEIGHT = 2.0

TORCHVISION_SCALE = {
    "relu1_1": 0.02408,
    "relu2_1": 0.01704,
    "relu3_1": 0.02289,
    "relu4_1": 0.003668,
    "relu5_1": 0.02239,
    "relu4_2": 0.004964,
}
"""Norms of torchvision's VGG-19 features relative to those of the Caffe weights, on the same noise."""


def replicating_first_convolution(encoder: SequentialEncoder) -> SequentialEncoder:
    """The encoder with a first convolution that continues the image by its outermost pixels.

    Args:
        encoder: A VGG. It shares its other modules with the result.

    Returns:
        Another encoder with the same layers and weights.

    Raises:
        TypeError: If its first layer is not a convolution.

    Example:
        >>> replicating_first_convolution(vgg19(weights=None)).stages["conv1_1"].padding_mode
        'replicate'
    """
    old = encoder.stages["conv1_1"]
    if not isinstance(old, nn.Conv2d):
        raise TypeError(f"The layer conv1_1 of `encoder` must be a convolution, got {type(old).__name__}.")
    # Weights that are replaced at once need not be drawn, which would move the generator of the user.
    first = nn.Conv2d(3, old.out_channels, 3, padding=1, padding_mode="replicate", device="meta")
    first.load_state_dict({name: value.clone() for name, value in old.state_dict().items()}, assign=True)
    first.to(memory_format=torch.channels_last)
    return SequentialEncoder({**encoder.stages, "conv1_1": first}, preprocessing=encoder.preprocessing)


def criterion(
    encoder: Encoder | None = None,
    *,
    network: Literal["torchvision", "caffe"] = "torchvision",
    content_weight: float = CONTENT_WEIGHT,
    style_weights: Sequence[float] = STYLE_WEIGHTS,
    smoothness: float = SMOOTHNESS_WEIGHT,
) -> Criterion:
    """The losses, with their published weights unless asked otherwise.

    Args:
        encoder: The network; that of the table with the weights of `network` if not given.
        network: Which weights of the VGG-19 the losses are weighted for.
        content_weight: Factor of the content loss (``--content-weight``).
        style_weights: Factors of the five layers of the style.
        smoothness: Factor of the total variation (``--tv-weight``).

    Returns:
        A criterion with the losses ``content``, ``style`` and ``smoothness``.

    Raises:
        ValueError: If `network` is unknown, or there are not five `style_weights`.

    Example:
        >>> criterion(vgg19(weights=None)).losses["content"]
        ContentLoss('relu4_2', weight=0.015)
    """
    if network not in ("torchvision", "caffe"):
        raise ValueError(f"`network` must be 'torchvision' or 'caffe', got {network!r}.")
    encoder = replicating_first_convolution(vgg19(network)) if encoder is None else encoder
    scale = TORCHVISION_SCALE if network == "caffe" else dict.fromkeys(TORCHVISION_SCALE, 1.0)
    if len(style_weights) != len(STYLE_LAYERS):
        raise ValueError(
            f"`style_weights` must have one weight for each of {len(STYLE_LAYERS)} layers, got "
            f"{len(style_weights)}."
        )
    style_weights = [
        weight * scale[layer] ** 2 for layer, weight in zip(STYLE_LAYERS, style_weights, strict=True)
    ]
    return Criterion(
        encoder,
        {
            "content": ContentLoss(CONTENT_LAYER, weight=content_weight * scale[CONTENT_LAYER] ** 2),
            "style": WassersteinLoss(STYLE_LAYERS, layer_weights=style_weights),
            "smoothness": TotalVariationLoss(variant="nine_point", weight=smoothness),
        },
    )


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    network: Literal["torchvision", "caffe"] = "torchvision",
    edge_size: int = 512,
    smallest: int = 128,
    num_steps: tuple[int, int] = (1000, 500),
    content_weight: float = CONTENT_WEIGHT,
    style_weights: Sequence[float] = STYLE_WEIGHTS,
    smoothness: float = SMOOTHNESS_WEIGHT,
    init: Init = "content",
    optimizer: OptimizerFactory = partial(Adam, lr=0.02, betas=(0.9, 0.99)),
    averaging: float = 0.99,
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int | None = None,
) -> Result:
    """A photograph in the style of a painting.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        network: Which weights of the VGG-19 the losses are weighted for.
        edge_size: The short side of the result in pixels.
        smallest: The smallest short side of a level.
        num_steps: Steps at the first level, and at each other.
        content_weight: Of :func:`criterion`.
        style_weights: Of :func:`criterion`.
        smoothness: Of :func:`criterion`.
        init: What to start from; see :func:`~pystyle.optimize_image`.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        averaging: The decay of the average of the iterates.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of noise to start from.

    Returns:
        The picture and the history of all levels.

    Raises:
        ValueError: If `network` is unknown, or an argument of :meth:`pystyle.Pyramid.optimize` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 40, 32), torch.rand(1, 3, 48, 64)
        >>> result = style_transfer(
        ...     photo, painting, encoder=vgg19(weights=None), edge_size=32, smallest=22, num_steps=(2, 1)
        ... )
        >>> result.image.shape, sorted(set(result.history["edge_size"]))
        (torch.Size([1, 3, 40, 32]), [23, 32])
    """
    check_images({"content": content, "style": style})
    sizes = Pyramid.from_ratio(edge_size, num_steps=0, ratio=2**0.5, smallest=smallest).edge_sizes
    steps = [num_steps[0]] + [num_steps[1]] * (len(sizes) - 1)
    return Pyramid(sizes, steps).optimize(
        criterion(
            encoder,
            network=network,
            content_weight=content_weight,
            style_weights=style_weights,
            smoothness=smoothness,
        ),
        {"content": content, "style": style},
        init=init,
        optimizer=optimizer,
        averaging=averaging,
        callbacks=callbacks,
        evaluation=evaluation,
        seed=seed,
    )
