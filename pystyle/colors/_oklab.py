import torch
from torch import Tensor

from pystyle.colors._linear import linear_to_rgb, rgb_to_linear
from pystyle.colors._pixels import check_image, transformed

_CONES_OF_RGB = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_LAB_OF_CONES = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def rgb_to_oklab(image: Tensor) -> Tensor:
    """The image in OKLab, where distances are about those that people see.

    Args:
        image: RGB as in a file.

    Returns:
        The lightness, 0 to 1, then green to red and blue to yellow, within about ±0.4; of the same type.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> rgb_to_oklab(red).flatten()
        tensor([0.6280, 0.2249, 0.1258])

    References:
        Ottosson. *A perceptual color space for image processing*. 2020.
    """
    cones = transformed(_CONES_OF_RGB, rgb_to_linear(check_image(image)))
    return transformed(_LAB_OF_CONES, _cube_root(cones)).to(image.dtype)


def oklab_to_rgb(image: Tensor) -> Tensor:
    """The RGB image of one in OKLab; the inverse of :func:`rgb_to_oklab`.

    Args:
        image: OKLab.

    Returns:
        RGB as in a file, of the same type. Colours that no screen shows lie outside [0, 1].

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> white = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> oklab_to_rgb(white).flatten().round(decimals=4)
        tensor([1., 1., 1.])

    References:
        Ottosson. *A perceptual color space for image processing*. 2020.
    """
    cones = transformed(_inverse(_LAB_OF_CONES), check_image(image)) ** 3
    return linear_to_rgb(transformed(_inverse(_CONES_OF_RGB), cones)).to(image.dtype)


def _inverse(matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    inverse: Tensor = torch.linalg.inv(torch.tensor(matrix, dtype=torch.float64, device="cpu"))
    return inverse


def _cube_root(value: Tensor) -> Tensor:
    # The slope is infinite at 0, where all channels of black are: the gradient is 0 there instead.
    smallest = torch.finfo(value.dtype).tiny ** 0.5
    return value.sign() * value.abs().clamp_min(smallest) ** (1 / 3)
