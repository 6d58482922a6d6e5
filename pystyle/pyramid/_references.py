"""The references at the size of a level."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.criterion._blend import changed_images
from pystyle.images import scaled_size
from pystyle.images._masked import resize_masked
from pystyle.typing import MaskedImage, References, Wrap


def reference_scales(
    criteria: Sequence[Criterion], references: References, style_scale: float
) -> Mapping[str, float]:
    """The size of each reference relative to the image.

    It is 1 for the content and whatever else is compared position by position, and `style_scale` for others.
    """
    aligned = {name for criterion in criteria for name in criterion.aligned}
    return {name: 1.0 if name in aligned else style_scale for name in references}


def resized_references(
    references: References,
    edge_size: int,
    scales: Mapping[str, float],
    *,
    aligned: Collection[str],
    size: tuple[int, int],
    wrap: Wrap | None,
) -> References:
    """The references at the size of the level, times their scales.

    Args:
        references: At their full size.
        edge_size: The short edge of the level.
        scales: Of the references.
        aligned: The references that lie where the image does; if it wraps, they have its size and wrap, too.
        size: That of the image.
        wrap: The sides along which it wraps.
    """

    def changed(name: str, image: Tensor | MaskedImage) -> Tensor | MaskedImage:
        if wrap is not None and name in aligned:
            return resize_masked(image, size, wrap=wrap)
        return resize_masked(image, max(round(edge_size * scales[name]), 1))

    return {name: changed_images(reference, partial(changed, name)) for name, reference in references.items()}


def level_size(full_size: tuple[int, int], edge_size: int, criterion: Criterion) -> tuple[int, int]:
    """Height and width at a level: where they wrap, the nearest that all layers have whole numbers of."""
    return criterion.nearest_size(scaled_size(full_size, edge_size))


def fits(criterion: Criterion, edge_size: int, scales: Mapping[str, float]) -> bool:
    """Whether the encoder can take the images at this level."""
    smallest = criterion.encoder.minimum_size(criterion.layers)
    return min([edge_size, *(round(edge_size * scale) for scale in scales.values())]) >= smallest
