"""The references at the size of a level."""

from collections.abc import Mapping, Sequence
from functools import partial

from pystyle.criterion import Criterion
from pystyle.criterion._blend import changed_images
from pystyle.images._masked import resize_masked
from pystyle.typing import References


def reference_scales(
    criteria: Sequence[Criterion], references: References, style_scale: float
) -> Mapping[str, float]:
    """The size of each reference relative to the image.

    It is 1 for the content and whatever else is compared position by position, and `style_scale` for others.
    """
    losses = [loss for criterion in criteria for loss in criterion.named_losses.values()]
    aligned = {
        "content",
        *(loss.references[0] for loss in losses if loss.spatial == "dense" and loss.references),
    }
    return {name: 1.0 if name in aligned else style_scale for name in references}


def resized_references(references: References, edge_size: int, scales: Mapping[str, float]) -> References:
    """The references at the size of the level, times their scales."""
    return {
        name: changed_images(reference, partial(resize_masked, size=max(round(edge_size * scales[name]), 1)))
        for name, reference in references.items()
    }


def fits(criterion: Criterion, edge_size: int, scales: Mapping[str, float]) -> bool:
    """Whether the encoder can take the images at this level."""
    smallest = criterion.encoder.minimum_size(criterion.layers)
    return min([edge_size, *(round(edge_size * scale) for scale in scales.values())]) >= smallest
