"""The arguments that all losses have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pystyle._arguments import number, numbers


def checked_reference(
    kind: str, usual: str | tuple[str, ...] | None, reference: str | Sequence[str]
) -> str | tuple[str, ...]:
    """The names to compare with instead of the usual ones.

    Raises:
        ValueError: If there are more or fewer of them.
    """
    if usual is None:
        raise ValueError(f"{kind} compares with nothing; leave out `reference`={reference!r}.")
    given = reference if isinstance(reference, str) else tuple(reference)
    if isinstance(usual, str) and isinstance(given, str):
        return given
    if isinstance(usual, tuple) and isinstance(given, tuple) and len(given) == len(usual):
        return given
    raise ValueError(f"`reference` must have as many names as {usual!r}, got {reference!r}.")


def layer_names(layers: Any) -> tuple[str, ...]:
    """One layer or several as a tuple.

    Raises:
        TypeError: If they are no names.
    """
    names = (
        (layers,) if isinstance(layers, str) else tuple(layers) if isinstance(layers, Iterable) else (layers,)
    )
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"`layers` must be names of layers such as 'relu3_1', got {name!r}.")
    return names


def weights_by_layer(
    layers: tuple[str, ...], weights: Sequence[float] | Mapping[str, float] | None
) -> dict[str, float]:
    """The factor of each layer.

    Raises:
        ValueError: If there are no layers, a layer twice, or a layer without a weight.
        TypeError: If a weight is no number.
    """
    if not layers:
        raise ValueError("`layers` must name at least one layer, got none.")
    if len(set(layers)) < len(layers):
        raise ValueError(f"`layers` must name each layer once, got {list(layers)}.")
    if weights is None:
        return dict.fromkeys(layers, 1.0 / len(layers))
    if not isinstance(weights, Mapping):
        weights = numbers(weights, "`layer_weights`")
        if len(weights) != len(layers):
            raise ValueError(
                f"`layer_weights` must have one weight for each of {len(layers)} layers, got {len(weights)}."
            )
        weights = dict(zip(layers, weights, strict=True))
    if set(weights) != set(layers):
        raise ValueError(f"`layer_weights` must have the layers {list(layers)}, got {list(weights)}.")
    return {layer: number(weights[layer], f"`layer_weights[{layer!r}]`") for layer in layers}
