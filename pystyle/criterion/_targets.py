"""What the losses compare with: the representations of a reference, blended and prepared."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from pystyle._arguments import check_range
from pystyle.criterion._blend import blend_of, image_of, masks_of
from pystyle.criterion._checks import check_image
from pystyle.criterion._masks import Masks
from pystyle.criterion._objective import Target
from pystyle.criterion._represent import combine, represent
from pystyle.encoders import Encoder
from pystyle.losses import Loss
from pystyle.typing import IMAGE, Reference, Representation

Key: TypeAlias = tuple[str, str]
"""The names of a loss and of one of its layers."""

LossAtLayer: TypeAlias = tuple[Key, Loss, str]


def targets_of(
    encoder: Encoder,
    losses: Sequence[LossAtLayer],
    reference: Reference,
    name: str,
    *,
    image_masks: Masks,
    strip_rows: int | None,
) -> dict[Key, tuple[Target, ...]]:
    """The targets of the losses that compare with one reference.

    Dense losses compare position by position, so a region of theirs lies where it does in the image
    (`image_masks`).
    """
    layers = tuple(dict.fromkeys(layer for _, _, layer in losses if layer != IMAGE))
    label = f'references["{name}"]'
    found: dict[Key, list[tuple[Representation, float]]] = {}
    for given, weight in blend_of(reference, name):
        check_image(image_of(given), label, encoder, layers)
        check_range(image_of(given), f"`{label}`")
        # A copy: what a loss keeps must not change with the caller's image, nor know its graph.
        image = image_of(given).detach().clone()
        for view in _views(image, masks_of(given), losses):
            if view.image is not image:
                seen = [layer for _, _, layer in view.losses if layer != IMAGE]
                check_image(view.image, f"a view of {label}", encoder, seen)
            represented = _represented(encoder, view, label, image_masks, strip_rows)
            for key, representation in represented.items():
                found.setdefault(key, []).append((representation, weight * view.share))
    return {key: _prepare(loss, found[key]) for key, loss, _ in losses}


def _represented(
    encoder: Encoder, view: "_View", label: str, image_masks: Masks, strip_rows: int | None
) -> dict[Key, Representation]:
    own_masks = Masks(encoder, view.masks, label)

    def masks_of(loss: Loss) -> Masks:
        return image_masks if loss.spatial == "dense" else own_masks

    return represent(encoder, view.image, view.losses, strip_rows=strip_rows, masks_of=masks_of)


class _View(NamedTuple):
    """A version of a reference image, the losses that want to see it, and its share of them."""

    image: Tensor
    masks: Mapping[str, Tensor]
    losses: list[LossAtLayer]
    share: float


def _views(image: Tensor, masks: Mapping[str, Tensor], losses: Sequence[LossAtLayer]) -> list[_View]:
    unchanged: list[LossAtLayer] = []
    found = []
    for part in losses:
        loss = part[1]
        views = loss.views(image)
        if len(views) == 1 and views[0] is image:
            unchanged.append(part)
            continue
        # What was turned in from beyond the border belongs to no region.
        turned = {name: loss.views(mask) for name, mask in masks.items() if name == loss.region}
        for index, view in enumerate(views):
            own = {name: versions[index].clamp(0, 1) for name, versions in turned.items()}
            found.append(_View(view, own, [part], 1 / len(views)))
    # Those that see the image as it is share one pass of the encoder.
    return [_View(image, masks, unchanged, 1.0), *found] if unchanged else found


def _prepare(loss: Loss, representations: list[tuple[Representation, float]]) -> tuple[Target, ...]:
    """The targets of one layer: the mean of the representations, or what becomes of them if they are sets."""
    joined: Sequence[tuple[Representation, float]] = representations
    if loss.spatial == "set":
        joined = loss.join(representations)
    elif len(representations) > 1:
        joined = [(_mean(representations), 1.0)]
    targets = []
    for representation, weight in joined:
        target = loss.prepare(representation)
        magnitude = None
        if loss.relative:
            magnitude = loss.magnitude(representation, target)
            # A target that is empty itself, such as a layer of dead channels, has nothing to be divided by.
            magnitude = torch.where(magnitude > 1e-12, magnitude, torch.ones_like(magnitude))
        targets.append(Target(target, weight, magnitude))
    return tuple(targets)


def _mean(representations: list[tuple[Representation, float]]) -> Representation:
    weights = [weight for _, weight in representations]

    def weighted(tensors: Sequence[Tensor]) -> Tensor:
        if len({tensor.shape for tensor in tensors}) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise ValueError(
                f"Blended references must fit each other, got {shapes}. Give them the same size."
            )
        return torch.stack([w * t for w, t in zip(weights, tensors, strict=True)]).sum(0)

    mean: Representation = combine([representation for representation, _ in representations], weighted)
    return mean
