"""What the losses compare with: the representations of the references, blended and prepared."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from pystyle._arguments import check_range
from pystyle.criterion._blend import blend_of, image_of, masks_of
from pystyle.criterion._checks import check_image
from pystyle.criterion._masks import Masks
from pystyle.criterion._objective import Target
from pystyle.criterion._origins import Origins
from pystyle.criterion._represent import represent
from pystyle.encoders import Encoder
from pystyle.losses import Loss
from pystyle.losses._representation import batch_size, combine, image_of_batch
from pystyle.losses._sampling import rewinding
from pystyle.typing import IMAGE, Reference, Representation

Key: TypeAlias = tuple[str, str]
"""The names of a loss and of one of its layers."""

LossAtLayer: TypeAlias = tuple[Key, Loss, str]

Blend: TypeAlias = Sequence[tuple[Representation, float]]
"""The representations of all images of a reference and views of them, with weights that sum to one."""


def blends_of(
    encoder: Encoder,
    losses: Sequence[LossAtLayer],
    reference: Reference,
    name: str,
    *,
    image_masks: Masks,
    origins: Origins,
    strip_rows: int | None,
) -> dict[Key, Blend]:
    """What the losses make of the images of one reference.

    In a reference that lies where the image does, regions do so too (`image_masks`).
    """
    layers = tuple(dict.fromkeys(layer for _, _, layer in losses if layer != IMAGE))
    label = f'references["{name}"]'
    found: dict[Key, list[tuple[Representation, float]]] = {}
    for given, weight in blend_of(reference, name):
        check_image(image_of(given), label, encoder, layers)
        check_range(image_of(given), f"`{label}`")
        # A copy: what a loss keeps must not change with the caller's image, nor know its graph.
        image = image_of(given).detach().clone()
        for view in _views(image, masks_of(given), losses, name):
            if view.image is not image:
                seen = [layer for _, _, layer in view.losses if layer != IMAGE]
                check_image(view.image, f"a view of {label}", encoder, seen)
            own_masks = Masks(encoder, view.masks, label)

            def masks(loss: Loss, own_masks: Masks = own_masks) -> Masks:
                return image_masks if lies_there(loss, name) else own_masks

            represented = represent(
                encoder, view.image, view.losses, strip_rows=strip_rows, masks_of=masks, origins=origins
            )
            for key, representation in represented.items():
                found.setdefault(key, []).append((representation, weight * view.share))
    return {key: found[key] for key, _, _ in losses}


def lies_there(loss: Loss, name: str) -> bool:
    """Whether the reference of this name lies where the image does for a loss; see :attr:`Loss.aligned`."""
    by_kind = loss.spatial == "dense" or len(loss.references) > 1
    return loss.references[:1] == (name,) and (by_kind if loss.aligned is None else loss.aligned)


class _View(NamedTuple):
    """A version of a reference image, the losses that want to see it, and its share of them."""

    image: Tensor
    masks: Mapping[str, Tensor]
    losses: list[LossAtLayer]
    share: float


def _views(
    image: Tensor, masks: Mapping[str, Tensor], losses: Sequence[LossAtLayer], name: str
) -> list[_View]:
    unchanged: list[LossAtLayer] = []
    found = []
    for part in losses:
        loss = part[1]
        first_of_several = len(loss.references) > 1 and loss.references[0] == name
        views = (image,) if first_of_several else loss.views(image)
        if len(views) == 1 and views[0] is image:
            unchanged.append(part)
            continue
        # What was turned in from beyond the border belongs to no region.
        turned = {region: loss.views(mask) for region, mask in masks.items() if region == loss.region}
        for index, view in enumerate(views):
            own = {region: versions[index].clamp(0, 1) for region, versions in turned.items()}
            found.append(_View(view, own, [part], 1 / len(views)))
    # Those that see the image as it is share one pass of the encoder.
    return [_View(image, masks, unchanged, 1.0), *found] if unchanged else found


def prepared(loss: Loss, blends: Sequence[Blend], origin: Tensor | None) -> tuple[Target, ...]:
    """The targets of one layer: what becomes of the blends of all references, for each image of a batch."""
    count = max(batch_size(representation) for blend in blends for representation, _ in blend)
    # A loss that draws at random draws the same for each image, as if it were alone.
    rewind = rewinding(loss.generators())
    targets: list[Target] = []
    for image in range(count):
        rewind()
        own = [[(image_of_batch(part, image), weight) for part, weight in blend] for blend in blends]
        targets += _targets(loss, own, origin, share=1 / count, image=image if count > 1 else None)
    return tuple(targets)


def _targets(
    loss: Loss, blends: Sequence[Blend], origin: Tensor | None, *, share: float, image: int | None
) -> list[Target]:
    joined = [_joined(loss, blend, first=blend is blends[0]) for blend in blends]
    targets = []
    for choice in product(*joined):
        representations = [representation for representation, _ in choice]
        target = loss.prepare(*representations)
        magnitude = _magnitude(loss, representations[0], target, origin) if loss.relative else None
        weight = share * prod(weight for _, weight in choice)
        targets.append(Target(target, weight, magnitude, image=image, origin=origin))
    return targets


def _joined(loss: Loss, blend: Blend, *, first: bool) -> Blend:
    """The blend as what an image is compared with one by one: its mean, or the sets of it."""
    if loss.spatial == "set" or (loss.spatial == "dense" and not first):
        return loss.join(blend)
    return blend if len(blend) == 1 else [(_mean(blend), 1.0)]


def _magnitude(loss: Loss, representation: Any, target: Any, origin: Tensor | None) -> Tensor:
    """What a relative comparison is divided by."""
    if origin is None:
        magnitude = loss.magnitude(representation, target)
    else:
        # That of features that are all zero, seen from the origin.
        magnitude = loss.compare(loss.represent(-origin), target)
    # A target that is empty itself, such as a layer of dead channels, has nothing to be divided by.
    return torch.where(magnitude > 1e-12, magnitude, torch.ones_like(magnitude))


def _mean(blend: Blend) -> Representation:
    weights = [weight for _, weight in blend]

    def weighted(tensors: Sequence[Tensor]) -> Tensor:
        if len({tensor.shape for tensor in tensors}) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise ValueError(
                f"Blended references must fit each other, got {shapes}. Give them the same size."
            )
        return torch.stack([w * t for w, t in zip(weights, tensors, strict=True)]).sum(0)

    mean: Representation = combine([representation for representation, _ in blend], weighted)
    return mean
