"""Images with masks or without at other sizes, for the papers with regions."""

from torch import Tensor

from pystyle.criterion._blend import image_of
from pystyle.images import resize
from pystyle.typing import MaskedImage


def resized(image: Tensor | MaskedImage, size: int | tuple[int, int]) -> Tensor | MaskedImage:
    """The image at another size, (height, width) or that of its long side, bilinearly, and so its masks."""
    small = resize(image_of(image), size, edge="long", interpolation="bilinear")
    if not isinstance(image, MaskedImage):
        return small
    exactly = (small.shape[2], small.shape[3])
    masks = {name: resize(mask, exactly, interpolation="bilinear") for name, mask in image.masks.items()}
    return MaskedImage(small, masks)
