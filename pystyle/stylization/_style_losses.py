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
from pystyle.typing import StyleLossName


class _Recipe(NamedTuple):
    """A loss, its weight, and the shares of the five layers in it; it does not look at those without any."""

    constructor: Callable[..., Loss]
    weight: float
    shares: tuple[float, ...]


_STROKES = (0.17, 0.47, 0.32, 0.03, 0.01)
"""Colours and strokes are in the first three; more than a hint of the others bends the objects."""

SHALLOW = 3
"""How many of the five layers are looked at where the composition is settled."""

# Pairs of positions are compared only where there are few of them.
_DEEP = (0.0, 0.25, 0.25, 0.25, 0.25)
_MIDDLE = (0.0, 1 / 3, 1 / 3, 1 / 3, 0.0)
_PATCHES = (0.0, 0.0, 0.5, 0.5, 0.0)

# The weights leave as much of the content as that of the Wasserstein loss does, measured on one pair; that of
# the contextual loss leaves more, because L-BFGS makes noise of higher ones.
_RECIPES: dict[StyleLossName, _Recipe] = {
    "wasserstein": _Recipe(WassersteinLoss, 18.0, _STROKES),
    "gram": _Recipe(GramLoss, 15.0, _STROKES),
    "mean-std": _Recipe(MeanStdLoss, 38.0, _STROKES),
    "covariance": _Recipe(CovarianceLoss, 8.0, _STROKES),
    "mrf": _Recipe(MRFLoss, 2.8, _PATCHES),
    "nearest-neighbor": _Recipe(NearestNeighborLoss, 30.0, _MIDDLE),
    "contextual": _Recipe(ContextualLoss, 5.0, _PATCHES),
    "sliced-wasserstein": _Recipe(SlicedWassersteinLoss, 50.0, _STROKES),
    "histogram": _Recipe(HistogramLoss, 28.0, _STROKES),
    "relaxed-emd": _Recipe(RelaxedEMDLoss, 20.0, _DEEP),
}


def style_loss_of(
    loss: StyleLossName | Loss,
    *,
    encoder_layers: Sequence[str],
    five_layers: Sequence[str],
    layers: Sequence[str] | None,
    strength: float,
    fine: bool,
) -> Loss:
    """The style loss of a criterion.

    Args:
        loss: The name of one, or one that is taken as it is.
        encoder_layers: All layers of the encoder, from shallow to deep.
        five_layers: Those that losses look at.
        layers: Others that the loss looks at instead.
        strength: A factor of its weight.
        fine: Whether a loss with a name looks at the first three layers only, with the same weight, unless it
            is given others.

    Raises:
        ValueError: If there is no such name, or a loss that has layers is given others.
        TypeError: If it is neither a name nor a loss.
    """
    if isinstance(layers, str):
        layers = (layers,)
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
        if isinstance(loss, type):
            raise TypeError(
                f"`style_loss` must be a name or a loss, got the class {loss.__name__}. Make one: "
                f"`{loss.__name__}(['relu2_1'])`."
            )
        raise TypeError(f"`style_loss` must be a name or a loss, got a {type(loss).__name__}.")
    if loss not in _RECIPES:
        raise ValueError(f"`style_loss` must be a loss or one of {get_args(StyleLossName)}, got {loss!r}.")
    recipe = _RECIPES[loss]
    shares = recipe.shares
    if layers is None:
        shares = _fine_shares(shares) if fine else shares
        layers = list(_shares_of(five_layers, shares))
    return recipe.constructor(
        tuple(layers),
        weight=recipe.weight * strength,
        layer_weights=[_share(layer, encoder_layers, five_layers, shares) for layer in layers],
        relative=True,
    )


def _fine_shares(shares: Sequence[float]) -> tuple[float, ...]:
    """The shares of the first three layers, which have those of the others as well."""
    shallow = shares[:SHALLOW]
    return (*(share * sum(shares) / sum(shallow) for share in shallow), *[0.0] * (len(shares) - SHALLOW))


def _share(
    layer: str, encoder_layers: Sequence[str], five_layers: Sequence[str], shares: Sequence[float]
) -> float:
    """The share of a layer: that of the last one with a share up to it, or else of the first one."""
    depth = {name: index for index, name in enumerate(encoder_layers)}
    known = {depth[name]: share for name, share in _shares_of(five_layers, shares).items() if name in depth}
    before = [share for index, share in known.items() if index <= depth.get(layer, -1)]
    return next(iter([*before[-1:], *known.values()]), 1.0)


def _shares_of(five_layers: Sequence[str], shares: Sequence[float]) -> dict[str, float]:
    """The layers that have shares; one that stands for several has theirs together."""
    found = dict[str, float]()
    for layer, share in zip(five_layers, shares, strict=True):
        if share:
            found[layer] = found.get(layer, 0.0) + share
    return found
