"""Images with masks or without at other sizes."""

from torch import Tensor

from pystyle.images._resize import Edge, Interpolation, resize
from pystyle.typing import MaskedImage


def resize_masked(
    image: Tensor | MaskedImage,
    size: int | tuple[int, int],
    *,
    edge: Edge = "short",
    interpolation: Interpolation = "bicubic",
) -> Tensor | MaskedImage:
    """The image at another size, and its masks, if it has any, at the same; see :func:`resize`."""
    if isinstance(image, Tensor):
        return resize(image, size, edge=edge, interpolation=interpolation)
    small = resize(image.image, size, edge=edge, interpolation=interpolation)
    exactly = (small.shape[2], small.shape[3])
    # Linear weights are positive and sum to one, so masks that add up to one still do.
    masks = {name: resize(mask, exactly, interpolation="bilinear") for name, mask in image.masks.items()}
    return MaskedImage(small, masks)
