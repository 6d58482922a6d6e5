from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from pystyle.metrics._pictures import same_size

_WINDOW = 11
_SIGMA = 1.5
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def psnr(image: Tensor, reference: Tensor) -> Tensor:
    r"""Peak signal-to-noise ratio in decibels: the more, the nearer; equal images have infinity.

    .. math:: -10 \log_{10} \langle (x - y)^2 \rangle

    It sees neither structure nor where a difference is: a shift of one pixel costs more than a blur.

    Args:
        image: The pictures.
        reference: What they are compared with: one image, or as many.

    Raises:
        TypeError: If one is no floating tensor.
        ValueError: If they leave [0, 1], or their sizes or batches differ.

    Shape:
        - image, reference: (batch, 3, height, width)
        - output: (batch), in float64

    Example:
        >>> import torch
        >>> psnr(torch.full((1, 3, 8, 8), 0.6), torch.full((1, 3, 8, 8), 0.5)).round(decimals=4)
        tensor([20.], dtype=torch.float64)
    """
    image, reference = same_size(image, reference)
    return -10 * (image - reference).square().mean((1, 2, 3)).log10()


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    r"""Structural similarity: 1 for equal images, about 0 for those that have nothing in common, down to -1.

    .. math::
        \left\langle \frac{(2 \mu_x \mu_y + C_1)(2 \sigma_{xy} + C_2)}
        {(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)} \right\rangle

    with means and covariances under a Gaussian window of 11 x 11 pixels and a deviation of 1.5, wherever it
    lies within the image, in each of R, G and B. For pictures in another style it says how much of the
    content is left; a picture in other colours than its content has a low one with all shapes kept.

    Args:
        image: The pictures.
        reference: What they are compared with: one image, or as many.

    Raises:
        TypeError: If one is no floating tensor.
        ValueError: If they leave [0, 1], are smaller than the window, or their sizes or batches differ.

    Shape:
        - image, reference: (batch, 3, height, width), of at least 11 x 11 pixels
        - output: (batch), in float64

    Example:
        >>> import torch
        >>> grey = torch.full((1, 3, 16, 16), 0.5)
        >>> ssim(grey, grey), ssim(grey, 0 * grey).round(decimals=6)   # 1e-4 / (0.25 + 1e-4)
        (tensor([1.], dtype=torch.float64), tensor([0.0004], dtype=torch.float64))

    References:
        Wang, Bovik, Sheikh and Simoncelli, *Image Quality Assessment: From Error Visibility to Structural
        Similarity*, IEEE Transactions on Image Processing 13, 2004, equation 13, with the window and the
        constants of section III.B; there for images in grey. Equal to scikit-image's with
        `gaussian_weights=True` and `use_sample_covariance=False`. Torchmetrics 1.9 also counts positions
        beyond the border, over reflected pixels: 2e-4 off for 200 x 190 pixels of noise.
    """
    image, reference = same_size(image, reference)
    _check_smallest(image, _WINDOW, "`image`")
    luminance, structure = _similarities(image, reference)
    return (luminance * structure).mean((1, 2, 3))


def multiscale_ssim(image: Tensor, reference: Tensor, *, weights: Sequence[float] = _SCALES) -> Tensor:
    r"""Structural similarity over several scales, each half the one before: from 0 to 1 for equal images.

    .. math:: \langle l_M c_M \rangle^{w_M} \prod_{j < M} \langle c_j \rangle^{w_j}

    with the contrast and structure c of each scale and the luminance l of the last. It agrees better with
    people than one scale does, and no more with how much two pictures share in style.

    Args:
        image: The pictures.
        reference: What they are compared with: one image, or as many.
        weights: The exponents of the scales, from the full size on.

    Raises:
        TypeError: If one is no floating tensor.
        ValueError: If they leave [0, 1], are smaller than the window at the last scale, their sizes or
            batches differ, or there is no weight.

    Shape:
        - image, reference: (batch, 3, height, width), of at least 176 pixels each way with five scales
        - output: (batch), in float64

    Example:
        >>> import torch
        >>> image = torch.rand(1, 3, 176, 180, generator=torch.Generator().manual_seed(0))
        >>> multiscale_ssim(image, image)
        tensor([1.], dtype=torch.float64)

    Note:
        A negative mean counts as 0: powers of it are not real.

    References:
        Wang, Simoncelli and Bovik, *Multiscale Structural Similarity for Image Quality Assessment*, Asilomar
        Conference on Signals, Systems and Computers, 2003, equation 7, with the weights of section 3.2.
    """
    image, reference = same_size(image, reference)
    if not weights:
        raise ValueError("`weights` must have an exponent for each scale, at least one, got none.")
    _check_smallest(image, _WINDOW * 2 ** (len(weights) - 1), "`image`")
    product = image.new_ones(len(image))
    for index, weight in enumerate(weights):
        if index:
            image, reference = avg_pool2d(image, 2), avg_pool2d(reference, 2)
        luminance, structure = _similarities(image, reference)
        last = index == len(weights) - 1
        mean = (luminance * structure if last else structure).mean((1, 2, 3))
        product = product * mean.clamp_min(0) ** weight
    return product


def _similarities(image: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Those of luminance, and of contrast and structure, at each position of the window."""
    first, second = _windowed(image), _windowed(reference)
    own, other = _windowed(image.square()) - first.square(), _windowed(reference.square()) - second.square()
    both = _windowed(image * reference) - first * second
    luminance = (2 * first * second + _LUMINANCE) / (first.square() + second.square() + _LUMINANCE)
    return luminance, (2 * both + _CONTRAST) / (own + other + _CONTRAST)


def _windowed(image: Tensor) -> Tensor:
    """The mean under the window."""
    offsets = torch.arange(_WINDOW, dtype=image.dtype, device=image.device) - _WINDOW // 2
    line = torch.softmax(-offsets.square() / (2 * _SIGMA**2), 0).expand(image.shape[1], 1, 1, -1)
    rows = conv2d(image, line, groups=image.shape[1])
    return conv2d(rows, line.mT, groups=image.shape[1])


def _check_smallest(image: Tensor, smallest: int, label: str) -> None:
    if min(image.shape[2:]) < smallest:
        raise ValueError(
            f"{label} must have at least {smallest} pixels each way for the window of {_WINDOW}, got "
            f"{tuple(image.shape[2:])}."
        )
