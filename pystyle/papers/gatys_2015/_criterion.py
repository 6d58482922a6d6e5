from collections.abc import Sequence

from torch import nn

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, ScaledAveragePool2d, SequentialEncoder, vgg19
from pystyle.losses import GramLoss, Loss
from pystyle.papers._layers import names
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.gatys_2015._reduced_gram import ReducedGramLoss
from pystyle.typing import Wrap

LAYERS = ("relu1_1", "pool1", "pool2", "pool3", "pool4")


def average_pooling(encoder: SequentialEncoder) -> SequentialEncoder:
    """The encoder with plain averages of 2 x 2 positions in the place of its poolings.

    ``vgg19(pooling="average")`` would multiply them by a factor; the paper does not.

    Args:
        encoder: A VGG. It shares its convolutions with the result, which rounds sizes as it does.

    Returns:
        Another encoder with the same layers.

    Example:
        >>> average_pooling(vgg19(weights=None)).stages["pool1"]
        ScaledAveragePool2d(kernel_size=2, stride=2, scale=1.0)
    """
    stages = {
        name: _averaging(module) if name.startswith("pool") else module
        for name, module in encoder.stages.items()
    }
    return SequentialEncoder(stages, preprocessing=encoder.preprocessing)


def _averaging(pooling: nn.Module) -> ScaledAveragePool2d:
    # A `SequentialEncoder` of one's own may have poolings that know nothing of rounding.
    ceil_mode = bool(getattr(pooling, "ceil_mode", False))
    return ScaledAveragePool2d(2, stride=2, scale=1.0, ceil_mode=ceil_mode)


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    layers: str | Sequence[str] = LAYERS,
    layer_weight: float | None = None,
    num_components: int | None = None,
    wrap: Wrap | None = None,
) -> Criterion:
    """The loss of the texture, equation 5.

    Args:
        encoder: The network; that of the table if not given.
        variant: Whose weights.
        layers: Where the Gram matrices are compared. Figure 2 takes the first, the first two, ..., all of
            them.
        layer_weight: The weight w of every layer; 1 for the paper, which gives none, and 1e9 for the code
            if not given.
        num_components: How many principal components of the features each Gram matrix is made of; all
            channels if not given. Figure 3 shows what is left with fewer parameters.
        wrap: The sides beyond which the image goes on with its other side; see :class:`~pystyle.Criterion`.

    Returns:
        A criterion with the loss ``texture``, whose reference is ``style``.

    Raises:
        ValueError: If `variant` or a layer is unknown, or `num_components` is not positive.

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
    weights = [layer_weight / 4] * len(layers)
    texture: Loss = GramLoss(layers, layer_weights=weights)
    if num_components is not None:
        texture = ReducedGramLoss(layers, layer_weights=weights, num_components=num_components)
    return Criterion(encoder, {"texture": texture}, wrap=wrap)
