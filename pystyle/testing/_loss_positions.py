"""Whether a loss depends on positions as it says."""

from typing import Any

import torch
from torch import Tensor

from pystyle.losses import LayerMask, Loss
from pystyle.losses._representation import tensors_of
from pystyle.losses._sampling import rewinding
from pystyle.testing._require import close, require
from pystyle.typing import IMAGE


def loss_value(loss: Loss, features: Tensor, reference: Tensor) -> Tensor:
    """The loss of features with those of the reference, or of several that are made of it."""
    # What a loss goes on drawing from is set back, so that each time is the first.
    rewind = rewinding(loss.generators())
    target = None
    if loss.reference is not None:
        with torch.no_grad():
            target = loss.prepare(*(_represented(loss, each) for each in references_of(loss, reference)))
    value = loss.compare(_represented(loss, features), target)
    rewind()
    require(isinstance(value, Tensor), f"`compare` returns a scalar tensor, got a {type(value).__name__}.")
    return value


def _represented(loss: Loss, features: Tensor) -> Any:
    found: Any = loss.represent(features)
    items = found if isinstance(found, tuple) else (found,)
    are_tensors = all(isinstance(item, Tensor) for item in items)
    got = f"got a {type(found).__name__}"
    require(are_tensors, f"`represent` returns a tensor or a tuple of tensors, {got}.")
    return found


def references_of(loss: Loss, reference: Tensor) -> list[Tensor]:
    """Features for each reference of a loss: the first as they are, others turned and of another size."""
    turned = reference.mT
    return [reference, *(torch.cat((turned, turned[:, :, :1]), dim=2) for _ in loss.references[1:])]


def check_positions(loss: Loss, features: Tensor, other: Tensor) -> None:
    """Check `spatial`, and that a region is honoured or refused.

    Raises:
        AssertionError: If not.
    """
    if loss.spatial == "pooled":
        _check_pooled(loss, features)
    if loss.spatial == "dense":
        _check_dense(loss, features, other)
    _check_region(loss, features, other)


def _check_pooled(loss: Loss, features: Tensor) -> None:
    width = features.shape[3] // 3
    tiles = features[..., :width], features[..., width:]
    shares = [tile.shape[3] / features.shape[3] for tile in tiles]
    whole = tensors_of(loss.represent(features))
    left, right = (tensors_of(loss.represent(tile)) for tile in tiles)
    added = [shares[0] * a + shares[1] * b for a, b in zip(left, right, strict=True)]
    promise = (
        "a 'pooled' representation of an image is the mean of those of its parts, weighted by their areas"
    )
    require(close(whole, added, 1e-4), f"{promise}. Is it derived too early (a root, a standard deviation)?")


def _check_dense(loss: Loss, features: Tensor, other: Tensor) -> None:
    if loss.reference is None:
        scalar = loss.represent(features)
        require(
            isinstance(scalar, Tensor) and scalar.ndim == 0, "without a reference `represent` is the loss."
        )
        return
    for tensor in tensors_of(loss.represent(features)):
        same = tensor.shape[-2:] == features.shape[-2:]
        require(
            same, f"a 'dense' representation has the positions of the features, got {tuple(tensor.shape)}."
        )
    # What judges the image itself sees all of it, also where features are computed in strips.
    if set(loss.layers) != {IMAGE}:
        _check_rows(loss, features, other)


def _check_rows(loss: Loss, features: Tensor, other: Tensor) -> None:
    height = features.shape[2] // 3
    # Parts that are alike would hide what is no mean.
    features = features * torch.linspace(0.1, 1, features.shape[2])[:, None]
    rows = slice(None, height), slice(height, None)
    shares = [height / features.shape[2], 1 - height / features.shape[2]]
    with torch.no_grad():
        target = loss.prepare(*(loss.represent(each) for each in references_of(loss, other)))
    parts = [_compare_rows(loss, features, target, part) for part in rows]
    added = shares[0] * parts[0] + shares[1] * parts[1]
    require(
        close(_compare_rows(loss, features, target, slice(None)), added, 1e-4),
        "a 'dense' loss of an image is the mean of those of its parts, weighted by their areas.",
    )


def _compare_rows(loss: Loss, features: Tensor, target: Any, rows: slice) -> Tensor:
    def of_rows(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor[:, :, rows]

    own = of_rows(target) if isinstance(target, Tensor) else type(target)(*map(of_rows, target))
    return loss.compare(loss.represent(features[:, :, rows]), own)


def _check_region(loss: Loss, features: Tensor, other: Tensor) -> None:
    rows, columns = 2 * features.shape[2] // 3, features.shape[3] // 2
    inside = torch.zeros(1, 1, *features.shape[2:])
    inside[..., :rows, :columns] = 1
    corner, everything = LayerMask.of(inside), _everywhere(features)
    try:
        value = _value_within(loss, features, other, corner)
    except ValueError:
        # It says that it cannot be confined.
        return
    require(value.ndim == 0 and value.isfinite(), "the loss of a region is a finite scalar.")
    if loss.spatial == "set" and type(loss).represent_within is Loss.represent_within:
        _check_independence(loss, features, other)
    elif loss.spatial != "pooled":
        whole, expected = _value_within(loss, features, other, everything), loss_value(loss, features, other)
        require(
            close(whole, expected, 1e-4),
            f"the loss of a region that is all of the image is that of the image, got {float(whole)} instead "
            f"of {float(expected)}. A loss that looks at neighbours overrides `represent_within`.",
        )
    if loss.spatial == "pooled":
        expected = loss_value(loss, features[..., :rows, :columns], other[..., :rows, :columns])
        require(
            close(value, expected, 1e-4),
            f"the loss of a region is that of the positions inside, got {float(value)} and not "
            f"{float(expected)}.",
        )
        _check_parts_of_region(loss, features, corner)


def _check_independence(loss: Loss, features: Tensor, other: Tensor) -> None:
    # Few positions: a loss that takes samples takes all of them, and the same in a map and in a list.
    for rows, columns in ((2, 2), (2, 3)):
        small, small_other = features[..., :rows, :columns], other[..., :rows, :columns]
        try:
            whole = loss_value(loss, small, small_other)
        except ValueError:
            whole = torch.full((), torch.nan)
        as_list = _value_within(loss, small, small_other, _everywhere(small))
        require(
            close(whole, as_list, 1e-4),
            "a loss with `independent_positions` is the same for a map of positions as for a list of them, "
            f"got {float(whole)} and {float(as_list)}. Override `represent_within` if it sees neighbours.",
        )


def _check_parts_of_region(loss: Loss, features: Tensor, mask: LayerMask) -> None:
    height = features.shape[2] // 3
    rows = (0, height), (height, features.shape[2])
    parts = [
        tensors_of(loss.represent_within(features[:, :, start:stop], mask.rows(start, stop)))
        for start, stop in rows
    ]
    shares = [(stop - start) / features.shape[2] for start, stop in rows]
    added = [shares[0] * a + shares[1] * b for a, b in zip(*parts, strict=True)]
    require(
        close(tensors_of(loss.represent_within(features, mask)), added, 1e-4),
        "a 'pooled' representation of a region is the mean of those of its parts, weighted by areas.",
    )


def _value_within(loss: Loss, features: Tensor, other: Tensor, mask: LayerMask) -> Tensor:
    representation = loss.represent_within(features, mask)
    target = None
    if loss.reference is not None:
        # Regions of the image and of the first reference lie in the same place.
        first, *others = references_of(loss, other)
        further = [loss.represent_within(each, _everywhere(each)) for each in others]
        target = loss.prepare(loss.represent_within(first, mask), *further)
    return loss.compare(representation, target)


def _everywhere(features: Tensor) -> LayerMask:
    return LayerMask.of(torch.ones(1, 1, *features.shape[2:]))
