from collections.abc import Sequence

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg16
from pystyle.papers._layers import names
from pystyle.papers.kato_2018._losses import SquaredDifferencesLoss, SummedGramLoss
from pystyle.surfaces import SURFACE

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
SMOOTHNESS_WEIGHT = 0.03


def criterion(
    encoder: Encoder | None = None,
    *,
    layers: str | Sequence[str] = LAYERS,
    smoothness_weight: float = SMOOTHNESS_WEIGHT,
) -> Criterion:
    """The losses of the texture, confined to the silhouette.

    Args:
        encoder: The network; VGG-16 if not given.
        layers: Where Gram matrices are compared; their losses are added.
        smoothness_weight: Of the sum of the squared differences of colours.

    Returns:
        A criterion with the losses ``style`` and ``smoothness``.

    Raises:
        ValueError: If a layer is unknown, or the weight is negative.

    Example:
        >>> list(criterion(vgg16(weights=None)).losses)
        ['style', 'smoothness']
    """
    layers = names(layers)
    style = SummedGramLoss(layers, layer_weights=[1.0] * len(layers), normalization="chw")
    return Criterion(
        vgg16() if encoder is None else encoder,
        {
            "style": style.within(SURFACE),
            "smoothness": SquaredDifferencesLoss(weight=smoothness_weight).within(SURFACE),
        },
    )
