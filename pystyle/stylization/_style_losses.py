"""Style losses by name, with weights and layers that suit `stylize`."""

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple, get_args

from pystyle.losses import (
    ContextualLoss,
    CovarianceLoss,
    GramLoss,
    HistogramLoss,
    Loss,
    MeanStdLoss,
    MRFLoss,
    NearestNeighborLoss,
    RelaxedEMDLoss,
    SlicedWassersteinLoss,
    WassersteinLoss,
)
from pystyle.typing import IMAGE, StyleLossName


class _Recipe(NamedTuple):
    """A loss with the weight and, of the five layers and the image, those that it looks at."""

    constructor: Callable[..., Loss]
    weight: float
    layers: tuple[int, ...]


_ALL, _DEEP, _MIDDLE, _PATCHES = (0, 1, 2, 3, 4, 5), (2, 3, 4, 5), (2, 3, 4), (3, 4)
"""0 is the image. Pairs of positions are compared only where there are few of them."""

# The weights leave as much of the content as that of the Wasserstein loss does, measured on one pair; that of
# the contextual loss leaves more, because L-BFGS makes noise of higher ones.
_RECIPES: dict[StyleLossName, _Recipe] = {
    "wasserstein": _Recipe(WassersteinLoss, 3.0, _ALL),
    "gram": _Recipe(GramLoss, 3.0, _ALL),
    "mean-std": _Recipe(MeanStdLoss, 7.0, _ALL),
    "covariance": _Recipe(CovarianceLoss, 1.7, _ALL),
    "mrf": _Recipe(MRFLoss, 1.5, _PATCHES),
    "nearest-neighbor": _Recipe(NearestNeighborLoss, 12.0, _MIDDLE),
    "contextual": _Recipe(ContextualLoss, 2.0, _MIDDLE),
    "sliced-wasserstein": _Recipe(SlicedWassersteinLoss, 12.0, _ALL),
    "histogram": _Recipe(HistogramLoss, 5.5, _ALL),
    "relaxed-emd": _Recipe(RelaxedEMDLoss, 11.0, _DEEP),
}


def style_loss_of(
    loss: StyleLossName | Loss,
    *,
    five_layers: Sequence[str],
    layers: Sequence[str] | None,
    strength: float,
) -> Loss:
    """The style loss of a criterion.

    Args:
        loss: The name of one, or one that is taken as it is.
        five_layers: The layers of the encoder, from shallow to deep.
        layers: The layers that the loss looks at instead of its usual ones.
        strength: A factor of its weight.

    Raises:
        ValueError: If there is no such name, or a loss that has layers is given others.
        TypeError: If it is neither a name nor a loss.
    """
    if isinstance(loss, Loss):
        if layers is not None:
            raise ValueError(
                f"`style_layers` must be left out with a loss that has layers, got {list(layers)}. "
                f"Give them to the {type(loss).__name__}."
            )
        stronger = copy.copy(loss)
        stronger.weight = loss.weight * strength
        return stronger
    if not isinstance(loss, str):
        raise TypeError(f"`style_loss` must be a name or a loss, got a {type(loss).__name__}.")
    if loss not in _RECIPES:
        raise ValueError(f"`style_loss` must be a loss or one of {get_args(StyleLossName)}, got {loss!r}.")
    recipe = _RECIPES[loss]
    usual = tuple((IMAGE, *five_layers)[index] for index in recipe.layers)
    return recipe.constructor(
        usual if layers is None else tuple(layers), weight=recipe.weight * strength, relative=True
    )
