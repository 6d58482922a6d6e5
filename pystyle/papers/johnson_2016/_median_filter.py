from torch import Tensor
from torch.nn.functional import pad

from pystyle._arguments import check_image, whole_number


def median_filter(image: Tensor, *, size: int = 3) -> Tensor:
    """The median of the pixels around each pixel, channel by channel, which takes single dots away.

    Args:
        image: The picture.
        size: The edge of the window in pixels, which is odd.

    Returns:
        A picture of the same size. At the border the outermost pixels are repeated.

    Raises:
        ValueError: If the size is even or not positive, or the picture has another shape.
        TypeError: If the picture is no floating-point tensor.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> image = torch.zeros(1, 3, 5, 5)
        >>> image[..., 2, 2] = 1.0
        >>> bool(median_filter(image).any())
        False
    """
    check_image(image, "`image`")
    size = whole_number(size, "`size`", least=1)
    if size % 2 == 0:
        raise ValueError(f"`size` must be odd, so that a window has a centre, got {size}.")
    windows = pad(image, [size // 2] * 4, mode="replicate").unfold(2, size, 1).unfold(3, size, 1)
    return windows.flatten(4).median(-1).values
