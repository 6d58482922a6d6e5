from collections.abc import Sequence

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg16
from pystyle.papers._variants import Variant
from pystyle.papers.kolkin_2022._hypercolumns import COLUMNS, ROTATIONS, columns, layers_of
from pystyle.papers.kolkin_2022._losses import ReplacedFeaturesLoss, SplitFeaturesLoss


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    rotations: Sequence[float] = ROTATIONS,
) -> Criterion:
    """The loss of one level.

    Args:
        encoder: A network with the layers of the table; VGG-16 if not given;
            :func:`~pystyle.papers.kolkin_2019.vgg16_stand_in` where that cannot be downloaded.
        variant: Whose layers.
        rotations: The painting is turned by these angles in degrees.

    Returns:
        A criterion with the loss ``features``, whose references are ``content``, what is searched with, and
        ``style``.

    Raises:
        ValueError: If `variant` is unknown.

    Example:
        >>> criterion(vgg16(weights=None)).losses["features"]
        ReplacedFeaturesLoss('hypercolumns')
    """
    network = columns(vgg16() if encoder is None else encoder, variant=variant)
    return Criterion(network, {"features": ReplacedFeaturesLoss(COLUMNS, rotations=rotations)})


def last_criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    max_side: int = 64,
    rotations: Sequence[float] = ROTATIONS,
    seed: int = 0,
) -> Criterion:
    """The loss of the last pass: each layer on its own.

    Args:
        encoder: A network with the layers of the table; VGG-16 if not given;
            :func:`~pystyle.papers.kolkin_2019.vgg16_stand_in` where that cannot be downloaded.
        variant: Whose layers.
        max_side: About so many positions are taken along the longer side of a layer.
        rotations: The painting is turned by these angles in degrees.
        seed: Of the positions.

    Returns:
        A criterion with the loss ``features``, whose reference is ``style``.

    Raises:
        ValueError: If `variant` is unknown.

    Example:
        >>> last_criterion(vgg16(weights=None)).losses["features"].layer_weights["relu4_3"]
        1.0
    """
    loss = SplitFeaturesLoss(layers_of(variant), max_side=max_side, rotations=rotations, seed=seed)
    return Criterion(vgg16() if encoder is None else encoder, {"features": loss})
