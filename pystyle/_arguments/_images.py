"""The type and the shape of an image, looked at before anything is made of it."""

import torch
from torch import Tensor


def check_image(image: Tensor, label: str) -> None:
    """Check that this is a batch of RGB images.

    Raises:
        TypeError: If it is not a floating-point tensor.
        ValueError: If it has another shape, or no pixels.
    """
    check_floating(image, label)
    shape = tuple(image.shape)
    if len(shape) != 4 or shape[1] != 3:
        raise ValueError(f"{label} must have the shape (batch, 3, height, width), got {shape}.{_hint(shape)}")
    if min(shape) == 0:
        raise ValueError(
            f"{label} must have the shape (batch, 3, height, width) and not be empty, got the shape {shape}."
        )


def check_floating(image: Tensor, label: str) -> None:
    """Check that this is a floating-point tensor.

    Raises:
        TypeError: If it is not, with how it becomes one.
    """
    if not isinstance(image, Tensor):
        raise TypeError(
            f"{label} must be a tensor, got a {type(image).__name__}. Read files with `read_image`; "
            "`as_image` makes tensors of Pillow images and numpy arrays, too."
        )
    if not image.is_floating_point():
        levels = {torch.uint8: "255", torch.uint16: "65535"}.get(image.dtype, "its largest level")
        fix = "Use `.float()`" if image.dtype == torch.bool else f"Divide it by {levels}"
        raise TypeError(f"{label} must be a floating tensor with values in [0, 1], got {image.dtype}. {fix}.")


def _hint(shape: tuple[int, ...]) -> str:
    """What to do about the shape, if it is a usual one."""
    if len(shape) == 4 and shape[3] == 3:
        return " Channels come second: `image.permute(0, 3, 1, 2)`."
    if len(shape) == 3:
        first = shape[0] == 3
        return f" Add the batch axis: `{'image' if first else 'image.permute(2, 0, 1)'}.unsqueeze(0)`."
    if len(shape) == 4 and shape[1] == 1:
        return " Repeat the grey channel: `image.expand(-1, 3, -1, -1)`."
    if len(shape) == 4 and shape[1] == 4:
        return " The fourth channel seems to be opacity: put the image on a ground and leave it out."
    return ""


def float_type() -> torch.dtype:
    """The type of new images and networks: float32, or float64 if that is torch's default."""
    return torch.promote_types(torch.get_default_dtype(), torch.float32)
