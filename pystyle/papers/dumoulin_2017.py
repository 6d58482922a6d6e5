r"""Dumoulin, Shlens, Kudlur 2017: many styles in one network (conditional instance normalisation).

:Paper: https://arxiv.org/abs/1610.07629
:Code: https://github.com/magenta/magenta/tree/14aba70

All that a network knows of a style s is a scale and a shift for each channel (equation 5):

.. math:: z = \gamma_s \frac{x - \mu(x)}{\sigma(x)} + \beta_s

All else is shared, so styles blend as their scales and shifts do, and a new style is learned by these alone.

====================  =====================================  ============================================
what                  paper                                  authors' code
====================  =====================================  ============================================
network               9x9, two of stride 2, five residual    the same, without biases; sigmoid at the end
                      blocks, two that double the size by
                      repeated pixels, 9x9 [M]
borders               mirrors [M]                            the same
numbers of a style    0.2 % of all [M]                       3,206: behind the last convolution too
first weights         normal, deviation 0.01 [M]             the same; scales 1, shifts 0
losses seen by        VGG-16                                 of Caffe, with average pooling
content               squares at one layer                   their mean, relu3_3, weight 1
style                 Gram matrices                          mean over entries, divided by positions;
                                                             relu1_2, relu2_2, relu3_3, relu4_3, weight
                                                             1e-4 each, times one of the style, 1 if none
training              40,000 steps of 16, Adam 1e-3 [M]      the same
images                ImageNet                               the same, 256 x 256; a style for each, drawn
new style             its γ and β alone, section 3.2         the same, from 1 and 0 on
blend                 of γ and of β, section 3.3 [M]         weights over all styles
====================  =====================================  ============================================

[M]: from memory. Sources: the paper's section 2.2; magenta/magenta, commit 14aba70,
``magenta/models/image_stylization``: ``model.py``, ``ops.py``, ``learning.py``, ``vgg.py``,
``image_stylization_train.py``, ``image_stylization_finetune.py``.

The network is :class:`pystyle.networks.TransformNetwork`. Its methods ``for_new_styles`` and
``with_styles_of`` are the new style, and ``bind([("waves", 0.7), ("wheat", 0.3)])`` is the blend.

What differs here: the last convolution is not normalised, which leaves 3,200 numbers for a style;
convolutions have biases, of which those before a normalisation do nothing; the network sees contents in
[-1, 1] in place of [0, 1]. A new style begins as the mean of those that are known. Each content of a step
gets the next style in turn. The losses look through VGG-19 of Caffe, because the library has no such VGG-16,
at layers of the same names.
"""

from collections.abc import Sequence

from torch import nn

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, GramLoss
from pystyle.networks import TransformNetwork
from pystyle.papers._layers import names
from pystyle.papers._training import TrainingOptions, adam_training
from pystyle.papers.gatys_2015 import average_pooling

__all__ = ["criterion", "network", "training"]

CONTENT_LAYER = "relu3_3"
STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
_DEVIATION = 0.01


def network(styles: Sequence[str] = ("style",), *, width: int = 32) -> TransformNetwork:
    """The network, with random weights.

    Args:
        styles: The names of the styles.
        width: Channels at the full size.

    Returns:
        A network with 3,200 numbers for each style, or 100 per unit of `width`.

    Raises:
        ValueError: If there is no name, or one twice, or the width is not positive.

    Example:
        >>> paint = network(["waves", "wheat"], width=4)
        >>> new = paint.for_new_styles(["stars"])          # for `pystyle.training.train`
        >>> [weight.numel() for weight in new.parameters() if weight.requires_grad]
        [400]
        >>> paint.with_styles_of(new).styles
        ('waves', 'wheat', 'stars')
    """
    made = TransformNetwork(width=width, styles=styles, border="reflect")
    for module in made.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=_DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return made


def criterion(
    encoder: Encoder | None = None,
    *,
    content_layer: str = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1e-4,
) -> Criterion:
    """The losses, as the authors' code has them.

    Args:
        encoder: The network that they look through; that of the table if not given, but for its depth.
        content_layer: Where the content is compared.
        style_layers: Where the Gram matrices are compared.
        content_weight: Of the content.
        style_weight: Of each layer of the style.

    Returns:
        A criterion with the losses ``content`` and ``style``.

    Raises:
        ValueError: If a layer is unknown.

    Example:
        >>> criterion(vgg19(weights=None)).losses["style"].layer_weights["relu4_3"]
        0.0001
    """
    style_layers = names(style_layers)
    return Criterion(
        average_pooling(vgg19()) if encoder is None else encoder,
        {
            "content": ContentLoss(content_layer, weight=content_weight),
            "style": GramLoss(style_layers, layer_weights=[style_weight] * len(style_layers)),
        },
    )


def training(*, num_steps: int = 40_000) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps. A new style takes a fraction of them.

    Example:
        >>> options = training()
        >>> options["num_steps"], options["batch_size"], options["crop_size"]
        (40000, 16, 256)
    """
    return adam_training(rate=1e-3, num_steps=num_steps, batch_size=16)
