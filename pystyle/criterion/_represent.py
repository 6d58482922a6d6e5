"""What the losses make of one image, from one pass of the encoder."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from pystyle.criterion._masks import Masks
from pystyle.criterion._origins import Origins
from pystyle.encoders import Encoder, StripPass
from pystyle.losses import LayerMask, Loss
from pystyle.losses._representation import combine
from pystyle.typing import IMAGE, Representation

Key = TypeVar("Key", bound=Hashable)


def represent(
    encoder: Encoder,
    image: Tensor,
    losses: Sequence[tuple[Key, Loss, str]],
    *,
    strip_rows: int | None,
    masks_of: Callable[[Loss], Masks],
    origins: Origins,
) -> dict[Key, Representation]:
    """The representation of the image by each loss at its layer, by the key of both.

    With `strip_rows` the features are computed in strips of so many rows.
    """

    def whole(loss: Loss, layer: str, *features: Tensor) -> Representation:
        if len(features) > 1:
            return representation_of_maps(loss, features)
        mask = masks_of(loss).at(loss, layer, positions(features[0]))
        return representation_of(loss, features[0], mask, origins.at(loss, layer, features[0]))

    layers = tuple(dict.fromkeys(layer for _, _, layer in losses if layer != IMAGE))
    if strip_rows is None or not layers:
        inputs = {key: inputs_of(encoder, loss, layer) for key, loss, layer in losses}
        features = encode(encoder, image, [name for names in inputs.values() for name in names])
        return {
            key: whole(loss, layer, *(features[name] for name in inputs[key])) for key, loss, layer in losses
        }
    check_strips([(loss, layer) for _, loss, layer in losses])
    found = {key: whole(loss, layer, image) for key, loss, layer in losses if layer == IMAGE}
    for rows in StripPass(encoder, layers, rows=strip_rows).forward(image):
        for key, loss, layer in losses:
            if layer == rows.layer:
                mask = masks_of(loss).at(loss, layer, (rows.height, rows.features.shape[3]))
                mask = mask and mask.rows(rows.start, rows.start + rows.features.shape[2])
                part = representation_of(loss, rows.features, mask, origins.at(loss, layer, rows.features))
                found[key] = (
                    add_share(found.get(key), part, rows.share)
                    if loss.spatial == "pooled"
                    else fill_rows(found.get(key), part, rows.start, rows.features.shape[2], rows.height)
                )
    return found


def representation_of(
    loss: Loss, features: Tensor, mask: LayerMask | None, origin: Tensor | None
) -> Representation:
    """What counts in the features, or in a region of them, seen from an origin."""
    features = features if origin is None else features - origin
    return loss.represent(features) if mask is None else loss.represent_within(features, mask)


def representation_of_maps(loss: Loss, maps: Any) -> Representation:
    """What counts in the hypercolumns of several maps, for a loss that takes them unjoined."""
    return loss.represent(maps)


def positions(features: Tensor) -> tuple[int, int]:
    """Height and width of features."""
    return features.shape[2], features.shape[3]


@torch.no_grad()
def layer_sizes(
    encoder: Encoder, image: Tensor, layers: Sequence[str], *, strip_rows: int | None
) -> dict[str, tuple[int, int]]:
    """Height and width of the features of the layers."""
    wanted = tuple(dict.fromkeys(layer for layer in layers if layer != IMAGE))
    if strip_rows is None or not wanted:
        return {layer: positions(feature) for layer, feature in encode(encoder, image, wanted).items()}
    strips = StripPass(encoder, wanted, rows=strip_rows).forward(image)
    return {IMAGE: positions(image)} | {rows.layer: (rows.height, rows.features.shape[3]) for rows in strips}


def check_strips(losses: Iterable[tuple[Loss, str]]) -> None:
    """Check that these losses at these layers add up over strips.

    Raises:
        ValueError: If one needs all positions of a layer at once, or judges how they lie to each other.
    """
    for loss, layer in losses:
        adds_up = loss.spatial == "pooled" or (loss.spatial == "dense" and loss.reference is not None)
        if not adds_up and layer != IMAGE:
            raise ValueError(
                f"{type(loss).__name__} at {layer!r} needs all positions at once and cannot be computed in "
                "strips. Evaluate the whole image, or use pooled and dense losses such as Gram matrices."
            )


def inputs_of(encoder: Encoder, loss: Loss, layer: str) -> tuple[str, ...]:
    """What a loss looks at for a layer: the layer, or the maps that are joined to its features."""
    joined = layer == IMAGE or not loss.takes_maps or loss.region is not None or loss.wrap is not None
    return (layer,) if joined else encoder.members(layer)


def encode(encoder: Encoder, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """The features of the layers, each once, and the image itself among them."""
    wanted = tuple(dict.fromkeys(layer for layer in layers if layer != IMAGE))
    return {**(encoder(image, wanted) if wanted else {}), IMAGE: image}


def add_share(sum_: Representation | None, part: Representation, share: float) -> Representation:
    """A sum of pooled representations, to which that of a part of the image was added."""
    added: Representation = combine(
        [part] if sum_ is None else [part, sum_],
        lambda tensors: (
            tensors[0] * share if sum_ is None else torch.add(tensors[1], tensors[0], alpha=share)
        ),
    )
    return added


def fill_rows(
    whole: Representation | None, part: Representation, start: int, num_rows: int, height: int
) -> Representation:
    """A dense representation, into which some of its rows were written.

    Raises:
        ValueError: If the part has another number of rows.
    """

    def fill(tensors: Sequence[Tensor]) -> Tensor:
        rows = tensors[0]
        if rows.shape[-2] != num_rows:
            raise ValueError(
                "A dense loss must keep the rows of its features to be computed in strips; within a region "
                "it has to override `represent_within`. Evaluate the whole image."
            )
        shape = (*rows.shape[:-2], height, rows.shape[-1])
        all_rows = rows.new_empty(shape) if whole is None else tensors[1]
        all_rows[..., start : start + rows.shape[-2], :] = rows
        return all_rows

    filled: Representation = combine([part] if whole is None else [part, whole], fill)
    return filled
