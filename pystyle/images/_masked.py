"""Images with masks or without at other sizes."""

from torch import Tensor

from pystyle.images._resize import Edge, Interpolation, resize
from pystyle.typing import MaskedImage, Wrap


def resize_masked(
    image: Tensor | MaskedImage,
    size: int | tuple[int, int],
    *,
    edge: Edge = "short",
    interpolation: Interpolation = "bicubic",
    wrap: Wrap | None = None,
) -> Tensor | MaskedImage:
    """The image at another size, and its masks, if it has any, at the same; see :func:`resize`."""
    if isinstance(image, Tensor):
        return resize(image, size, edge=edge, interpolation=interpolation, wrap=wrap)
    small = resize(image.image, size, edge=edge, interpolation=interpolation, wrap=wrap)
    exactly = (small.shape[2], small.shape[3])
    # Linear weights are positive and sum to one, so masks that add up to one still do.
    masks = {
        name: resize(mask, exactly, interpolation="bilinear", wrap=wrap) for name, mask in image.masks.items()
    }
    return MaskedImage(small, masks)
