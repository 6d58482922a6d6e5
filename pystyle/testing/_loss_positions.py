"""Whether a loss depends on positions as it says."""

import torch
from torch import Tensor

from pystyle.losses import LayerMask, Loss
from pystyle.testing._require import close, require, tensors_of
from pystyle.typing import IMAGE


def loss_value(loss: Loss, features: Tensor, reference: Tensor) -> Tensor:
    """The loss of features with those of the reference."""
    # What a loss goes on drawing from is set back, so that each time is the first.
    states = [(generator, generator.get_state()) for generator in loss.generators()]
    target = None
    if loss.reference is not None:
        with torch.no_grad():
            target = loss.prepare(loss.represent(reference))
    value = loss.compare(loss.represent(features), target)
    for generator, state in states:
        generator.set_state(state)
    return value


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
    parts = [loss_value(loss, features[:, :, part], other[:, :, part]) for part in rows]
    added = shares[0] * parts[0] + shares[1] * parts[1]
    require(
        close(loss_value(loss, features, other), added, 1e-4),
        "a 'dense' loss of an image is the mean of those of its parts, weighted by their areas.",
    )


def _check_region(loss: Loss, features: Tensor, other: Tensor) -> None:
    rows, columns = 2 * features.shape[2] // 3, features.shape[3] // 2
    inside = torch.zeros(1, 1, *features.shape[2:])
    inside[..., :rows, :columns] = 1
    corner, everything = LayerMask.of(inside), LayerMask.of(torch.ones_like(inside))
    try:
        value = _value_within(loss, features, other, corner)
    except ValueError:
        # It says that it cannot be confined.
        return
    require(value.ndim == 0 and value.isfinite(), "the loss of a region is a finite scalar.")
    # A "set" may take samples, which are others in a list of positions than in a map.
    if loss.spatial == "dense":
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
    target = None if loss.reference is None else loss.prepare(loss.represent_within(other, mask))
    return loss.compare(representation, target)
