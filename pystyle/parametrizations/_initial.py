import torch
from torch import Tensor


def initial_values(image: Tensor) -> Tensor:
    """A copy of the image to make parameters of, after a look at its type and shape."""
    if not isinstance(image, Tensor) or not image.is_floating_point():
        kind = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise TypeError(f"`image` must be a floating tensor with values in [0, 1], got {kind}.")
    if image.ndim != 4 or image.shape[1] != 3 or image.numel() == 0:
        raise ValueError(
            "`image` must have the shape (batch, 3, height, width) and not be empty, "
            f"got {tuple(image.shape)}."
        )
    return image.detach().clone(memory_format=torch.contiguous_format)
