"""From floats to the integers of a file. The one place where a value is rounded."""

import torch
from torch import Tensor

from pystyle import _arguments
from pystyle._arguments import check_scale


def quantise(image: Tensor) -> Tensor:
    """Returns the image as it reads back from an 8-bit file: ``round(255 * clamp(image)) / 255``.

    The picture on disk is what counts, so quality is measured on this tensor. It equals, to the last bit,
    what `write_image` and `read_image` give through a lossless format. It is detached: rounding has no
    useful gradient.

    Args:
        image: Image, or batch, or any floating tensor.

    Returns:
        A new float32 tensor of the same shape on the same device.

    Raises:
        TypeError: `image` is not a floating tensor.
        ValueError: `image` contains NaN or infinity, or has another scale.

    Shape:
        Input: ``(*)``, in [0, 1]; what lies outside is clamped, unless it is of another scale.
        Output: ``(*)``, multiples of 1/255.

    Example:
        >>> import torch
        >>> quantise(torch.tensor([-0.2, 0.5, 1.3])) * 255
        tensor([  0., 128., 255.])
    """
    check_floating(image)
    check_finite(image)
    check_scale(image, "`image`")
    whole = levels(image, 255)
    # By a Python number, a CUDA kernel would multiply by the reciprocal, and the last bit differs.
    return whole / whole.new_full((), 255.0)


def levels(image: Tensor, maximum: int) -> Tensor:
    """Returns the nearest of the whole numbers 0 ... `maximum`, as float32."""
    return image.detach().to(torch.float32).clamp(0, 1).mul(maximum).round()


def check_single_image(image: Tensor) -> Tensor:
    """Returns the image without its batch axis, after checking everything that a file asks of it."""
    check_floating(image)
    shape = tuple(image.shape)
    if image.ndim == 4 and shape[0] == 1:
        image = image[0]
    elif image.ndim == 4:
        raise ValueError(f"`image` must be one image, got a batch of shape {shape}. Take them one by one.")
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(
            "`image` must have shape (channels, height, width) or (1, channels, height, width) "
            f"with 1 or 3 channels, got {shape}."
        )
    if image.numel() == 0:
        raise ValueError(f"`image` must have pixels, got shape {shape}.")
    check_finite(image)
    check_scale(image, "`image`")
    return image.detach()


def check_floating(image: Tensor) -> None:
    """Raises a TypeError unless the argument is a tensor of floats."""
    _arguments.check_floating(image, "`image`")


def check_finite(image: Tensor) -> None:
    """Raises a ValueError if there is a NaN or an infinity."""
    if not torch.isfinite(image).all():
        raise ValueError("`image` must be finite, got NaN or infinity. Did the optimisation diverge?")
