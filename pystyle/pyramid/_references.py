"""The references at the size of a level."""

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.images import resize
from pystyle.typing import Reference, References


def resized_references(references: References, edge_size: int, style_scale: float) -> References:
    """The content at the size of the level, all other references at `style_scale` times it."""
    return {
        name: _resized(reference, edge_size if name == "content" else max(round(edge_size * style_scale), 1))
        for name, reference in references.items()
    }


def _resized(reference: Reference, edge_size: int) -> Reference:
    if isinstance(reference, Tensor):
        return resize(reference, edge_size)
    return [(resize(image, edge_size), weight) for image, weight in reference]


def fits(criterion: Criterion, references: References, edge_size: int, style_scale: float) -> bool:
    """Whether the encoder can take the images at this level."""
    smallest = criterion.encoder.minimum_size(criterion.layers)
    others = any(name != "content" for name in references)
    return min(edge_size, round(edge_size * style_scale) if others else edge_size) >= smallest
