"""What all colour functions ask of an image, and the one operation that they share."""

from collections.abc import Sequence

import torch
from torch import Tensor


def check_image(image: Tensor, name: str = "image") -> Tensor:
    """The image in float32 at least, after a look at its type and shape."""
    if not isinstance(image, Tensor) or not image.is_floating_point():
        kind = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise TypeError(f"`{name}` must be a floating tensor with values in [0, 1], got {kind}.")
    if image.ndim != 4 or image.shape[1] != 3 or image.numel() == 0:
        raise ValueError(
            f"`{name}` must have the shape (batch, 3, height, width) and not be empty, "
            f"got {tuple(image.shape)}."
        )
    return image.float() if image.element_size() < 4 else image


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
        matrix = torch.tensor(matrix, dtype=torch.float64)
    first, *others = matrix.to(image).reshape(-1, *matrix.shape[-2:], 1, 1).unbind(2)
    product = first * image[:, :1]
    for channel, column in enumerate(others, 1):
        product = product + column * image[:, channel, None]
    return product
