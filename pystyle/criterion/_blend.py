"""A reference taken apart: its images, their weights and their masks."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pystyle._arguments import number
from pystyle.typing import MaskedImage, Reference, References


def blend_of(reference: Reference, name: str) -> list[tuple[Tensor | MaskedImage, float]]:
    """The images of a reference with weights that sum to one.

    Raises:
        TypeError: If it is neither an image nor a list of (image, weight).
        ValueError: If the weights cannot be shares.
    """
    if isinstance(reference, Tensor | MaskedImage):
        return [(reference, 1.0)]
    pairs = isinstance(reference, list | tuple)
    if not pairs or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in reference):
        raise TypeError(
            f'`references["{name}"]` must be an image or a list of (image, weight), '
            f"got a {type(reference).__name__}. Read files with `read_image`."
        )
    for image, _ in reference:
        if not isinstance(image, Tensor | MaskedImage):
            raise TypeError(
                f'Each image of `references["{name}"]` must be a tensor, got a {type(image).__name__}. '
                "Read files with `read_image`."
            )
    weights = [number(weight, f'Each weight of `references["{name}"]`', least=0) for _, weight in reference]
    if not sum(weights) > 0:
        raise ValueError(
            f'`references["{name}"]` must be an image or a list of (image, weight) with weights that are not '
            f"negative, finite and not all 0, got {weights}."
        )
    return [(image, weight / sum(weights)) for (image, _), weight in zip(reference, weights, strict=True)]


def check_references(references: References) -> None:
    """Check that all references are images or blends of images.

    Raises:
        TypeError: If one is something else.
        ValueError: If weights cannot be shares.
    """
    if not isinstance(references, Mapping):
        raise TypeError(
            f"`references` must be images by their names, got a {type(references).__name__}. "
            'Write `{"content": photo, "style": painting}`.'
        )
    for name, reference in references.items():
        blend_of(reference, name)


def image_of(image: Tensor | MaskedImage) -> Tensor:
    """The image without its masks."""
    return image.image if isinstance(image, MaskedImage) else image


def masks_of(image: object) -> Mapping[str, Tensor]:
    """The masks of an image; none if it has none."""
    return image.masks if isinstance(image, MaskedImage) else {}


def changed_images(
    reference: Reference, change: Callable[[Tensor | MaskedImage], Tensor | MaskedImage]
) -> Reference:
    """The reference with all of its images changed."""
    if isinstance(reference, Tensor | MaskedImage):
        return change(reference)
    return [(change(image), weight) for image, weight in reference]


def images_of(reference: Reference) -> list[Tensor]:
    """The images of a reference without their masks."""
    if isinstance(reference, Tensor | MaskedImage):
        return [image_of(reference)]
    return [image_of(image) for image, _ in reference]


def first_image(reference: Reference) -> Tensor:
    """The image of a reference, or the first one of a blend."""
    return images_of(reference)[0]
