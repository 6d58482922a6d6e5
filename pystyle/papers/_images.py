"""What every paper asks of the images that it is given."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from pystyle._arguments import check_image, check_range
from pystyle.typing import MaskedImage


def check_images(images: Mapping[str, Tensor | MaskedImage]) -> None:
    """Check images by the names of their arguments, before any of them is resized.

    Raises:
        TypeError: If one is not a floating-point tensor.
        ValueError: If one has another shape, or leaves [0, 1].
    """
    for name, image in images.items():
        pixels = image.image if isinstance(image, MaskedImage) else image
        check_image(pixels, f"`{name}`")
        check_range(pixels, f"`{name}`")


def check_masks(content: MaskedImage, names: Iterable[str]) -> None:
    """Check that a photograph has a mask for each region.

    Raises:
        ValueError: If one has none.
    """
    names = tuple(names)
    missing = [name for name in names if name not in content.masks]
    if missing:
        raise ValueError(f"`content` must have a mask for each of {names}, got none of {missing[0]!r}.")
