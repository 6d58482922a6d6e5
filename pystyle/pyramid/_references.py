"""The references at the size of a level."""

from torch import Tensor
from torch.nn.functional import interpolate

from pystyle.criterion import Criterion
from pystyle.criterion._blend import changed_images
from pystyle.images import resize
from pystyle.typing import MaskedImage, Reference, References


def resized_references(references: References, edge_size: int, style_scale: float) -> References:
    """The content at the size of the level, all other references at `style_scale` times it."""
    return {
        name: _resized(reference, edge_size if name == "content" else max(round(edge_size * style_scale), 1))
        for name, reference in references.items()
    }


def _resized(reference: Reference, edge_size: int) -> Reference:
    def resized(image: Tensor | MaskedImage) -> Tensor | MaskedImage:
        if isinstance(image, Tensor):
            return resize(image, edge_size)
        smaller = resize(image.image, edge_size)
        size = (smaller.shape[2], smaller.shape[3])
        # Linear weights are positive and sum to one, so masks that add up to one still do.
        masks = {
            name: interpolate(mask, size, mode="bilinear", antialias=True).clamp(0, 1)
            for name, mask in image.masks.items()
        }
        return MaskedImage(smaller, masks)

    return changed_images(reference, resized)


def fits(criterion: Criterion, references: References, edge_size: int, style_scale: float) -> bool:
    """Whether the encoder can take the images at this level."""
    smallest = criterion.encoder.minimum_size(criterion.layers)
    others = any(name != "content" for name in references)
    return min(edge_size, round(edge_size * style_scale) if others else edge_size) >= smallest
