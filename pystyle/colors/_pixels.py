"""What all colour functions ask of an image, and the one operation that they share."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle import _arguments


def check_image(image: Tensor, name: str = "image") -> Tensor:
    """The image in float32 at least, after a look at its type and shape."""
    _arguments.check_image(image, f"`{name}`")
    return image.float() if image.element_size() < 4 else image


def check_picture(image: Tensor, name: str = "image") -> Tensor:
    """The image in float32 at least, after a look at its type, its shape and its range."""
    pixels = check_image(image, name)
    _arguments.check_range(image, f"`{name}`")
    return pixels


def check_mask(mask: Tensor | None, name: str, image: Tensor) -> Tensor | None:
    """The mask in the type and on the device of its image, after a look at its shape and values."""
    if mask is None:
        return None
    if tuple(mask.shape) != (1, 1, *image.shape[2:]):
        raise ValueError(
            f"`{name}` must have the shape (1, 1, {image.shape[2]}, {image.shape[3]}) of its image, "
            f"got {tuple(mask.shape)}."
        )
    mask = mask.detach().to(image)
    if not (bool((mask >= 0).all()) and 0 < float(mask.sum()) < float("inf")):
        raise ValueError(
            f"`{name}` must be finite, nowhere negative and somewhere above 0, got values from "
            f"{float(mask.min()):g} to {float(mask.max()):g}."
        )
    return mask


def check_batches(image: Tensor, name: str, other: Tensor) -> None:
    """Refuse a batch that is neither as large as that of `image` nor of size 1."""
    if other.shape[0] not in (1, image.shape[0]):
        raise ValueError(
            f"`{name}` must be one image or as many as `image`, got {other.shape[0]} for {image.shape[0]}."
        )


def transformed(matrix: Tensor | Sequence[Sequence[float]], image: Tensor) -> Tensor:
    """The product of a matrix, or of one per image, with the colour of each pixel.

    It is added up plane by plane: a matrix product would be at the mercy of autocast and TF32.
    """
    if not isinstance(matrix, Tensor):
        matrix = torch.tensor(matrix, dtype=torch.float64, device="cpu")
    first, *others = matrix.to(image).reshape(-1, *matrix.shape[-2:], 1, 1).unbind(2)
    product = first * image[:, :1]
    for channel, column in enumerate(others, 1):
        product = torch.addcmul(product, column, image[:, channel, None])
    return product
