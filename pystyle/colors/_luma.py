"""Luminance and chroma as weighted sums of the values in a file: what television and JPEG do.

Strictly this luminance is a *luma*, because the values are not linear light. It is what the literature of
style transfer calls luminance.
"""

import torch
from torch import Tensor

from pystyle.colors._pixels import check_image, transformed

_LUMINANCE = (0.299, 0.587, 0.114)
_YIQ = (_LUMINANCE, (0.59590059, -0.27455667, -0.32134392), (0.21153661, -0.52273617, 0.31119955))
_YCBCR = (_LUMINANCE, (-0.299 / 1.772, -0.587 / 1.772, 0.5), (0.5, -0.587 / 1.402, -0.114 / 1.402))


def luminance(image: Tensor) -> Tensor:
    r"""How bright each pixel is.

    .. math:: Y = 0.299 \, R + 0.587 \, G + 0.114 \, B

    Args:
        image: RGB as in a file.

    Returns:
        A single channel of the same type; `expand` it to three for a grey picture.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image: (batch, 3, height, width)
        - output: (batch, 1, height, width), in [0, 1] where the image is

    Example:
        >>> import torch
        >>> luminance(torch.tensor([1.0, 0.5, 0.0]).reshape(1, 3, 1, 1)).item()
        0.5924...

    References:
        ITU-R BT.601-7, section 2.5.1.
    """
    return transformed((_LUMINANCE,), check_image(image)).to(image.dtype)


def rgb_to_yiq(image: Tensor) -> Tensor:
    """The image in YIQ: luminance, then orange to blue and purple to green.

    Args:
        image: RGB as in a file.

    Returns:
        Y in [0, 1], I within ±0.596 and Q within ±0.523, of the same type.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> rgb_to_yiq(red).flatten()
        tensor([0.2990, 0.5959, 0.2115])

    References:
        SMPTE 170M-2004, annex A: the colour differences 0.492111 (B - Y) and 0.877283 (R - Y),
        turned by 33 degrees. Gatys et al. (CVPR 2017) keep these two and stylise Y.
    """
    return transformed(_YIQ, check_image(image)).to(image.dtype)


def yiq_to_rgb(image: Tensor) -> Tensor:
    """The RGB image of one in YIQ; the inverse of :func:`rgb_to_yiq`.

    Args:
        image: YIQ.

    Returns:
        RGB as in a file, of the same type.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> grey = torch.tensor([0.5, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> yiq_to_rgb(grey).flatten()
        tensor([0.5000, 0.5000, 0.5000])
    """
    inverse = torch.linalg.inv(torch.tensor(_YIQ, dtype=torch.float64, device="cpu"))
    return transformed(inverse, check_image(image)).to(image.dtype)


def rgb_to_ycbcr(image: Tensor) -> Tensor:
    """The image in YCbCr with the full range of JPEG.

    Args:
        image: RGB as in a file.

    Returns:
        Luminance, blue and red difference, all in [0, 1] and the differences 0.5 for grey; of the
        same type.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> rgb_to_ycbcr(red).flatten()
        tensor([0.2990, 0.3313, 1.0000])

    References:
        ITU-T T.871, *JPEG file interchange format*, section 7.
    """
    return (transformed(_YCBCR, check_image(image)) + _centre(image)).to(image.dtype)


def ycbcr_to_rgb(image: Tensor) -> Tensor:
    """The RGB image of one in YCbCr; the inverse of :func:`rgb_to_ycbcr`.

    Args:
        image: YCbCr with the full range of JPEG.

    Returns:
        RGB as in a file, of the same type.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If it has another shape.

    Shape:
        - image, output: (batch, 3, height, width)

    Example:
        >>> import torch
        >>> grey = torch.full((1, 3, 1, 1), 0.5)
        >>> ycbcr_to_rgb(grey).flatten()
        tensor([0.5000, 0.5000, 0.5000])
    """
    inverse = torch.linalg.inv(torch.tensor(_YCBCR, dtype=torch.float64, device="cpu"))
    return transformed(inverse, check_image(image) - _centre(image)).to(image.dtype)


def _centre(image: Tensor) -> Tensor:
    return torch.tensor([0.0, 0.5, 0.5], dtype=image.dtype, device=image.device).reshape(1, 3, 1, 1)
