import torch
from torch import Tensor

from pystyle._arguments import check_image, check_range, number


def stretched(image: Tensor, *, factor: float = 1.5) -> Tensor:
    """The image as the authors save theirs: with more contrast, then stretched to all of [0, 1].

    Args:
        image: Pictures.
        factor: What the distance of all values from the mean brightness is multiplied by; clamped after that.

    Returns:
        Images of the same shape. One of a single value stays as it is.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape or leaves [0, 1], or `factor` is negative.

    Shape:
        - image, output: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> image = torch.tensor([0.4, 0.5, 0.6]).reshape(1, 1, 1, 3).expand(1, 3, 1, 3)
        >>> stretched(image)[0, 0, 0].round(decimals=3)
        tensor([0.0000, 0.5000, 1.0000])

    References:
        ``adjust_contrast`` and ``save_image(normalize=True)`` of torchvision, which the authors call.
    """
    check_image(image, "`image`")
    check_range(image, "`image`")
    factor = number(factor, "`factor`", least=0)
    image = image.clamp(0, 1)
    red, green, blue = image.unbind(1)
    # The luma of torchvision.
    mean = (0.2989 * red + 0.587 * green + 0.114 * blue).mean((1, 2))[:, None, None, None]
    contrasted = (mean + factor * (image - mean)).clamp(0, 1)
    low, high = contrasted.amin((1, 2, 3), keepdim=True), contrasted.amax((1, 2, 3), keepdim=True)
    flat = image.amin((1, 2, 3), keepdim=True) == image.amax((1, 2, 3), keepdim=True)
    return torch.where(flat, image, (contrasted - low) / (high - low).masked_fill(flat, 1))
