from collections.abc import Sequence

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, HypercolumnEncoder
from pystyle.losses import MeanStdLoss
from pystyle.papers._layers import names, num_channels
from pystyle.papers._normalized_vgg import or_normalized_vgg19
from pystyle.papers._training import TrainingOptions, adam_training
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.liu_2021._loss import LocalFeatureLoss
from pystyle.papers.liu_2021._network import LAYERS, MAX_KEYS

_EPOCHS = 5


def criterion(
    encoder: Encoder | None = None,
    *,
    layers: str | Sequence[str] = LAYERS[1:],
    local_layers: str | Sequence[str] | None = None,
    global_weight: float = 10.0,
    local_weight: float = 3.0,
    max_keys: int = MAX_KEYS,
    variant: Variant = "code",
) -> Criterion:
    """The global and the local loss of section 3.3, in the form of the authors' code.

    Args:
        encoder: The network; that of the table if not given.
        layers: Where the picture is to have the means and deviations of the style.
        local_layers: Where it is to have the features that are attended to; those of the variant if not
            given. Positions are told by them and those of relu1_1 to relu5_1 that come before.
        global_weight: The factor of means and deviations.
        local_weight: The factor of the features that are attended to.
        max_keys: The most positions of the style that are looked at.
        variant: ``"paper"``: the local loss begins at relu3_1. ``"code"``: at relu2_1.

    Returns:
        A criterion with the losses ``global`` and ``local``. Its encoder has a group for each layer, such as
        ``relu3_1_and_before``.

    Raises:
        ValueError: If a layer or the variant is unknown.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> criterion(vgg19(weights=None), local_layers="relu3_1").encoder.groups
        {'relu3_1_and_before': ('relu3_1', 'relu1_1', 'relu2_1')}
    """
    encoder = or_normalized_vgg19(encoder)
    check_variant(variant)
    if local_layers is None:
        local_layers = LAYERS[2:] if variant == "paper" else LAYERS[1:]
    layers, local_layers = names(layers), names(local_layers)
    # The means have a mean of squares of their own, and the deviations too; the loss takes that of both.
    moments = MeanStdLoss(layers, layer_weights=[2.0] * len(layers), weight=global_weight)
    channels = num_channels(encoder, local_layers)
    order = [layer for layer in encoder.layers if layer in LAYERS or layer in local_layers]
    groups = {f"{layer}_and_before": [layer, *order[: order.index(layer)]] for layer in local_layers}
    local = LocalFeatureLoss(
        list(groups),
        channels=dict(zip(groups, channels, strict=True)),
        layer_weights=[1.0] * len(groups),
        weight=local_weight,
        max_keys=max_keys,
    )
    return Criterion(HypercolumnEncoder(encoder, groups), {"global": moments, "local": local})


def training(*, num_steps: int = 51_740) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps, of which each fifth is an epoch of the authors: the 82,783 pictures of
            MS-COCO (train2014) in batches of 8.

    Example:
        >>> options = training()
        >>> [round(options["learning_rate"](epoch / 5), 3) for epoch in range(5)]
        [1.0, 1.0, 0.3, 0.09, 0.027]
    """
    return adam_training(rate=2e-4, num_steps=num_steps, batch_size=8, learning_rate=_falling)


def _falling(fraction: float) -> float:
    """The factor of the learning rate, which falls after each epoch but the first."""
    epoch = min(int(_EPOCHS * fraction + 1e-9), _EPOCHS - 1)
    return float(0.3 ** max(0, epoch - 1))
