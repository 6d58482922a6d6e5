import torch
from torch import Tensor

from pystyle.colors._pixels import check_image


def rgb_to_linear(image: Tensor) -> Tensor:
    r"""The linear light of an sRGB image.

    .. math:: \begin{cases} v / 12.92 & v \le 0.04045 \\
              \left( (v + 0.055) / 1.055 \right)^{2.4} & \text{otherwise} \end{cases}

    Args:
        image: RGB as in a file.

    Returns:
        RGB in which equal steps are equal amounts of light, of the same type.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> rgb_to_linear(torch.full((1, 3, 1, 1), 0.5)).flatten()
        tensor([0.2140, 0.2140, 0.2140])

    Note:
        Negative values are mirrored: the value of -v is minus that of v.

    References:
        IEC 61966-2-1:1999, *Default RGB colour space - sRGB*.
    """
    value = check_image(image)
    size = value.abs()
    curve = ((size + 0.055) / 1.055) ** 2.4
    return (value.sign() * torch.where(size <= 0.04045, size / 12.92, curve)).to(image.dtype)


def linear_to_rgb(image: Tensor) -> Tensor:
    r"""The sRGB image of linear light; the inverse of :func:`rgb_to_linear`.

    .. math:: \begin{cases} 12.92 \, v & v \le 0.0031308 \\
              1.055 \, v^{1/2.4} - 0.055 & \text{otherwise} \end{cases}

    Args:
        image: Linear RGB.

    Returns:
        RGB as in a file, of the same type.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> linear_to_rgb(torch.full((1, 3, 1, 1), 0.2140)).flatten()
        tensor([0.5000, 0.5000, 0.5000])

    References:
        IEC 61966-2-1:1999, *Default RGB colour space - sRGB*.
    """
    value = check_image(image)
    size = value.abs()
    # The slope of the root is infinite at 0, which the branch that is not taken must not see.
    curve = 1.055 * size.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return (value.sign() * torch.where(size <= 0.0031308, size * 12.92, curve)).to(image.dtype)
